import { needsAgreement } from '../../src/features/credentials/confirm/confirmation.view';
import { DeliveryFailed } from '../../src/upstream/delivery/delivery.port';
import { policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import {
  type Case,
  cancelUpdate,
  channelsOf,
  erase,
  flaws,
  mails,
  newAddress,
  newestToken,
  readUpdate,
  Updates,
  wholeDatabase,
  writerOf,
} from '../support/credentials';

const hour = 3_600_000;

let test: TestApp;
let updates: Updates;
let of: Case;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']) });
  updates = new Updates(test);
  of = await updates.next();
});
afterEach(async () => {
  const open = await test.app.database.query<{ id: string }>(
    "SELECT id FROM credential_update WHERE open_key IS NOT NULL AND state IN ('REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'AWAITING_APPROVAL')",
  );
  for (const { id } of open) await test.as('ana', cancelUpdate, { id });
  await updates.drain();
  expect(await flaws(test)).toEqual([]);
});
afterAll(() => test.stop());

const asked = () => updates.asked(of, of.usual, 'BILLING_ADDRESS');
const saysYes = { shown: 'x', code: '', address: newAddress };

describe('a customer’s link', () => {
  it('shows what would change, masked, and who asked why; and nothing else', async () => {
    const { token } = await asked();
    expect(await updates.desk.view(token)).toEqual({
      kind: 'BILLING_ADDRESS',
      stage: 'ASKED',
      merchant: 'Demo Shop',
      ticket: of.reference,
      askedBy: 'Ana Ferreira',
      reason: 'The customer wrote that this has to be changed',
      before: expect.stringMatching(/^[\w ]+ •••• \d{4}, valid until \d\d\/\d{4}, billing address in [^,]+, [A-Z]{2}$/),
      after: 'Its billing address becomes the one that you enter here.',
      expiresAt: new Date(test.clock.now().getTime() + 24 * hour),
      code: null,
      shown: expect.stringMatching(/^[0-9a-f]{64}$/),
      continueAt: null,
    });
  });

  it('changes nothing when it is followed, as mail scanners do, alive or dead', async () => {
    const { id, token } = await asked();
    const before = await wholeDatabase(test);
    for (const each of [token, `${token}x`, 'x'.repeat(43)]) {
      await updates.desk.view(each);
      for (const method of ['GET', 'HEAD'] as const) await test.server.inject({ method, url: `/confirm/${each}` });
    }
    expect(await wholeDatabase(test)).toEqual(before);
    await test.as('ana', cancelUpdate, { id });
    await updates.drain();
    const after = await wholeDatabase(test);
    await updates.desk.view(token);
    await test.server.inject({ method: 'GET', url: `/confirm/${token}` });
    expect(await wholeDatabase(test)).toEqual(after);
  });

  it.each<[string, (id: string, token: string) => Promise<string>]>([
    ['that nobody was ever sent', async () => 'A'.repeat(43)],
    ['that is empty', async () => ''],
    ['that is no token at all', async () => "' OR 1=1 --"],
    [
      'that was used to say yes',
      async (_, token) => {
        await updates.confirm(token);
        return token;
      },
    ],
    [
      'that was used to say no',
      async (_, token) => {
        await updates.desk.refuse(token, '');
        return token;
      },
    ],
    [
      'that has expired, though nobody has ended the update yet',
      async (_, token) => {
        test.clock.forward(24 * hour);
        return token;
      },
    ],
    [
      'of an update that expired',
      async (_, token) => {
        test.clock.forward(24 * hour);
        expect(await test.app.services.credentialExpiry.run()).toBeGreaterThan(0);
        return token;
      },
    ],
    [
      'of an update that was called off',
      async (id, token) => {
        await test.as('ana', cancelUpdate, { id });
        return token;
      },
    ],
  ])('%s is dead: it shows nothing, and whatever is tried with it changes nothing', async (_, kill) => {
    await updates.assist(of.ticketId);
    const { id, token } = await asked();
    const deadToken = await kill(id, token);
    await updates.drain();
    const before = await wholeDatabase(test);
    expect(await updates.desk.view(deadToken)).toBeNull();
    expect(await updates.desk.confirm(deadToken, saysYes)).toEqual({ outcome: 'dead' });
    expect(await updates.desk.refuse(deadToken, '')).toEqual({ outcome: 'dead' });
    expect(await updates.desk.sendCode(deadToken)).toEqual({ outcome: 'dead' });
    expect(await wholeDatabase(test)).toEqual(before);
  });

  it('of a customer who was erased is dead', async () => {
    const erased = await updates.next();
    const { token } = await updates.asked(erased, erased.usual, 'BILLING_ADDRESS');
    await erase(test, erased.customerId);
    const before = await wholeDatabase(test);
    expect(await updates.desk.view(token)).toBeNull();
    expect(await updates.desk.confirm(token, saysYes)).toEqual({ outcome: 'dead' });
    expect(await updates.desk.refuse(token, '')).toEqual({ outcome: 'dead' });
    expect(await wholeDatabase(test)).toEqual(before);
    // It still ends by itself.
    test.clock.forward(24 * hour);
    await test.app.services.credentialExpiry.run();
    await updates.drain();
    await updates.assist(of.ticketId);
  });

  it('that was sent twice works both times until one of them is used', async () => {
    const { mail } = channelsOf(test);
    const send = mail.send.bind(mail);
    mail.send = async (message) => {
      await send(message);
      mail.send = send;
      // It arrived, and the answer didn't.
      throw new DeliveryFailed('mail', 'timeout');
    };
    await updates.request(of, of.usual, 'BILLING_ADDRESS');
    await updates.drain();
    const first = await newestToken(test);
    await updates.wait(5_000, 1_000);
    const second = await newestToken(test);
    expect(second).not.toBe(first);
    expect((await updates.desk.view(first))?.shown).toBe((await updates.desk.view(second))?.shown);
    // While the first answer is unknown the update is not on its way to the customer yet; now it is.
    expect((await updates.confirm(first)).outcome).toBe('confirmed');
    expect(await updates.desk.view(second)).toBeNull();
    expect(await updates.desk.confirm(second, saysYes)).toEqual({ outcome: 'dead' });
    await updates.drain();
  });

  it('goes only to the address that the payment side holds', async () => {
    await asked();
    const [mail] = await mails(test);
    const customer = test.payments.merchant.paymentCustomer(of.number, 'demo');
    expect(mail?.to).toBe(customer.email);
  });

  it('whose answer is to something else than what is asked now asks again, and nothing is done', async () => {
    const { id, token } = await asked();
    const view = await updates.desk.view(token);
    await writerOf(test).query("UPDATE helpdesk_staff SET display_name = 'Somebody Else' WHERE display_name = 'Ana Ferreira'");
    const before = await wholeDatabase(test);
    const answer = await updates.desk.confirm(token, { shown: view?.shown ?? '', code: '', address: newAddress });
    expect(answer).toMatchObject({ outcome: 'again', view: { askedBy: 'Somebody Else' }, problems: [{ field: null }] });
    expect(await wholeDatabase(test)).toEqual(before);
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    await writerOf(test).query("UPDATE helpdesk_staff SET display_name = 'Ana Ferreira' WHERE display_name = 'Somebody Else'");
  });

  it('with which the customer says no ends the update, keeps what they were shown, and works once', async () => {
    const { id, token } = await asked();
    const view = await updates.desk.view(token);
    expect(await updates.desk.refuse(token, view?.shown ?? '')).toEqual({ outcome: 'refused', view });
    const { data } = await test.as('ana', readUpdate, { id });
    expect(data.credentialUpdate).toMatchObject({
      state: 'REFUSED',
      confirmation: {
        outcome: 'REFUSED',
        channel: 'MAIL',
        proofs: [],
        shownDigest: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
      },
    });
    await updates.drain();
    expect(updates.executions(id)).toEqual([]);
  });

  it('opens its page whatever a mail program glued to it, and takes the answer there', async () => {
    const { id, token } = await asked();
    for (const glued of [`${token}.`, `${token}%3E`, `%3C${token}%3E.`, `${token}%E2%80%8B`, `${token}/`]) {
      const { statusCode, body } = await test.server.inject({ url: `/confirm/${glued}` });
      expect([glued, statusCode, body.includes('Change your billing address?')]).toEqual([glued, 200, true]);
    }
    expect((await test.server.inject({ url: `/confirm/${token}x` })).statusCode).toBe(404);
    const { shown } = await updates.consent(token);
    const { statusCode } = await test.server.inject({
      method: 'POST',
      url: `/confirm/${token}%29`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ answer: 'refuse', shown }).toString(),
    });
    expect([statusCode, await updates.state(id)]).toEqual([200, 'REFUSED']);
  });

  it('whose yes takes nothing to be entered takes a choice: without it nothing is confirmed, and nothing recorded', async () => {
    const own = await updates.next();
    const { id, token } = await updates.asked(own, own.other, 'SET_DEFAULT');
    const view = await updates.desk.view(token);
    expect(view && needsAgreement(view)).toBe(true);
    const events = (await test.events()).length;
    for (const agreed of [undefined, false]) {
      const { shown, code, address } = await updates.consent(token);
      expect(
        await updates.desk.confirm(token, { shown, code, address, ...(agreed === undefined ? {} : { agreed }) }),
      ).toMatchObject({
        outcome: 'again',
        problems: [{ field: 'agreed' }],
      });
    }
    expect([await updates.state(id), (await test.events()).length]).toEqual(['AWAITING_CUSTOMER', events]);
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
  });

  it('works once, though the customer presses the button twice at once', async () => {
    const { id, token } = await asked();
    const consent = await updates.consent(token);
    const answers = await Promise.all([1, 2, 3].map(() => updates.desk.confirm(token, consent)));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['confirmed', 'dead', 'dead']);
    await updates.drain();
    expect(updates.executions(id)).toEqual(['SET_ADDRESS']);
  });
});

describe('a new address', () => {
  const spread = ['4242 4242', '4242 4242'] as const;
  it.each<[string, Partial<typeof newAddress>, string]>([
    ['without a street', { line1: '   ' }, 'line1'],
    ['without a city', { city: '' }, 'city'],
    ['without a country', { country: '' }, 'country'],
    ['in a country that there isn’t', { country: 'XX' }, 'country'],
    ['whose street is too long', { line1: `Zqlong ${'x'.repeat(200)}` }, 'line1'],
    ['whose postal code is too long', { postalCode: 'Z'.repeat(21) }, 'postalCode'],
    ['with control characters', { line2: 'Zqcontrol \u0007 bell' }, 'line2'],
    ['with characters that turn the text around', { city: 'Zqturn \u202e around' }, 'city'],
    ['with a card number for a street', { line1: '4242424242424242' }, 'line1'],
    ['with a card number in its further details', { line2: 'no. 4242-4242-4242-4242' }, 'line2'],
    ['with a card number for a city', { city: '4000 0566 5566 5556' }, 'city'],
    ['with a card number for a postal code', { postalCode: '4242424242424242' }, 'postalCode'],
    ['without a state where the country needs one', { country: 'US', state: '' }, 'state'],
    ['in a state that the country hasn’t', { country: 'US', state: 'Zqnowhere' }, 'state'],
    ['with a card number for a state', { state: '4242 4242 4242 4242' }, 'state'],
    ['with a card number spread over two fields', { line1: spread[0], line2: spread[1] }, 'line1'],
    ['with a labelled security code', { line2: 'CVC 737' }, 'line2'],
    ['with an expiry', { line2: 'valid until 11/29' }, 'line2'],
  ])('%s is asked for again, naming the field; nothing of it is stored or logged', async (_, over, field) => {
    const { id, token } = await asked();
    const consent = await updates.consent(token, { address: { ...newAddress, ...over } });
    const before = await wholeDatabase(test);
    const logged = test.logLines.length;
    const answer = await updates.desk.confirm(token, consent);
    expect(answer).toMatchObject({ outcome: 'again', problems: [{ field }] });
    const values = Object.values(over).filter((value) => value.trim().length > 3);
    for (const value of values) {
      expect(JSON.stringify(answer)).not.toContain(value);
      expect(test.logLines.slice(logged).join('')).not.toContain(value);
    }
    expect(await wholeDatabase(test)).toEqual(before);
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    await updates.drain();
  });

  it.each<[string, Partial<typeof newAddress>]>([
    ['house number 123', { line1: 'Quay Street 123' }],
    ['long numbers that are no card’s', { line1: 'Plot 1234567890123456', postalCode: '12345-6789' }],
    ['letters of any script', { line1: '東京都千代田区1-1', city: 'Łódź', state: '東京都', country: 'JP' }],
  ])('may have %s', async (_, over) => {
    const { id, token } = await asked();
    expect((await updates.confirm(token, { address: { ...newAddress, ...over } })).outcome).toBe('confirmed');
    await updates.drain();
    expect(await updates.state(id)).toBe('APPLIED');
    const { data } = await test.as('ana', readUpdate, { id });
    expect(data.credentialUpdate.after.billingAddress.city).toBe(over.city ?? newAddress.city);
    expect((await updates.methodsOf(of)).find(({ isDefault }) => isDefault)?.billingAddress?.line1).toBe(over.line1);
  });
});
