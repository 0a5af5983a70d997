import { TestApp, type TestAppOptions } from './app';
import { card, helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments } from './scripted-sources';

/** What the sample says about its people: every text once, so that wherever one turns up it is known from where. */
export const sampleTexts = {
  subject: 'Zqsubject about a blender',
  body: 'Zqbody: my blender was charged',
  name: 'Zqname Quill',
  email: 'zqmail.quill@people.example.com',
  phone: '+353 20 9155501',
  paymentName: 'Zqpayname Quill',
  paymentEmail: 'zqpaymail.quill@people.example.com',
  paymentPhone: '+353 20 9155502',
  line1: 'Zqstreet 17',
  line2: 'Zqflat 3',
  city: 'Zqtown',
  state: 'Zqcounty',
  postalCode: 'ZQ77 QUILLFEN',
  order: 'Zqorder: a blender',
  device: 'zqdevice-fingerprint',
  token: 'pm_zqtoken',
} as const;

export const sampleTicket = 'ZQREF-1';

/** One ticket of Ana's with a VERIFIED customer who has two cards and three payments, from sources that a test can hold and move. */
export const startSample = async (options: TestAppOptions = {}) => {
  const texts = sampleTexts;
  const helpdesk = new ScriptedHelpdesk('demo');
  const payments = new ScriptedPayments('demo-pay');
  helpdesk.put(
    sampleTicket,
    {
      subject: texts.subject,
      customer: helpdeskCustomer('quill', { displayName: texts.name, email: texts.email, phone: texts.phone }),
    },
    [
      {
        reference: 'm1',
        author: { kind: 'CUSTOMER', displayName: texts.name },
        channel: 'EMAIL',
        body: texts.body,
        createdAt: new Date('2026-08-20T10:00:00.000Z'),
      },
    ],
  );
  payments.put(
    'pay-quill',
    {
      helpdeskReference: 'demo:quill',
      email: texts.paymentEmail,
      displayName: texts.paymentName,
      phone: texts.paymentPhone,
    },
    [
      card(texts.token, {
        billingAddress: {
          line1: texts.line1,
          line2: texts.line2,
          city: texts.city,
          state: texts.state,
          postalCode: texts.postalCode,
          country: 'IE',
        },
      }),
      card('pm_second', { isDefault: false, last4: '0005', brand: 'amex' }),
    ],
    [1, 2, 3].map((number) =>
      payment(`ch_${number}`, {
        paymentMethodReference: texts.token,
        orderDescription: `${texts.order} ${number}`,
        amount: number * 100,
        deviceFingerprint: texts.device,
        createdAt: new Date(Date.UTC(2026, 7, 20 + number)),
      }),
    ),
  );
  const test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments }, ...options });
  helpdesk.now = test.clock.now;
  payments.now = test.clock.now;
  return { test, helpdesk, payments };
};
