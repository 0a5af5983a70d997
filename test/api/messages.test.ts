import type { MessageRecord } from '../../src/upstream/helpdesk/helpdesk.port';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { shownIn } from '../support/disclosed';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const message = (over: Partial<MessageRecord>): MessageRecord => ({
  reference: 'm1',
  author: { kind: 'CUSTOMER', displayName: null },
  channel: 'EMAIL',
  body: 'My card was declined.',
  createdAt: new Date('2026-08-20T10:00:00.000Z'),
  ...over,
});

const query = `{ ticketByReference(source: "demo", reference: "1") {
  messages { nodes { body truncated attachments { name type size } } }
} }`;

describe('what came with a message', () => {
  let test: TestApp;
  let helpdesk: ScriptedHelpdesk;
  beforeEach(async () => {
    helpdesk = new ScriptedHelpdesk('demo');
    const pdf = { name: 'proof of payment.pdf', type: 'application/pdf', size: 48_120 };
    helpdesk.put('1', { customer: helpdeskCustomer('quill') }, [
      message({ attachments: [pdf, { name: null, type: 'image/png', size: 0 }] }),
      message({ reference: 'm2', body: '', attachments: [pdf], createdAt: new Date('2026-08-20T11:00:00.000Z') }),
      message({
        reference: 'm3',
        body: 'So much of it. [There is more.]',
        isCut: true,
        createdAt: new Date('2026-08-20T12:00:00.000Z'),
      }),
    ]);
    test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') } });
  });
  afterEach(() => test.stop());

  const shown = async () => {
    const { data, errors } = await test.as('ana', query);
    expect(errors).toBeUndefined();
    return (data as { ticketByReference: { messages: { nodes: unknown } } }).ticketByReference.messages.nodes;
  };

  it('is named to who reads the message, one without words too, and a text that is too long says so', async () => {
    const pdf = { name: 'proof of payment.pdf', type: 'application/pdf', size: 48_120 };
    expect(await shown()).toEqual([
      { body: 'My card was declined.', truncated: false, attachments: [pdf, { name: null, type: 'image/png', size: 0 }] },
      { body: '', truncated: false, attachments: [pdf] },
      { body: 'So much of it. [There is more.]', truncated: true, attachments: [] },
    ]);
  });

  it('is null of messages that were stored before it was kept, not none', async () => {
    await tamper(test.app.database, 'UPDATE helpdesk_message SET attachments_sealed = NULL, is_cut = NULL');
    expect(await shown()).toEqual([
      { body: 'My card was declined.', truncated: null, attachments: null },
      { body: '', truncated: null, attachments: null },
      { body: 'So much of it. [There is more.]', truncated: null, attachments: null },
    ]);
  });

  it('is what its disclosure names, as a field of the message', async () => {
    await shown();
    const [event] = (await test.events('disclosure')) as { detail: { objects: Record<string, unknown[]> } }[];
    expect(await shownIn(test, event)).toEqual(
      expect.arrayContaining([
        ['Attachment.name', 'reveal', expect.any(Number)],
        ['Message.attachments', 'reveal', expect.any(Number)],
        ['Message.truncated', 'reveal', 3],
      ]),
    );
    expect(Object.keys(event?.detail.objects ?? {}).sort()).toEqual(['Message', 'Ticket']);
  });
});
