import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoTickets } from '../../src/development/merchant/cast';
import { policyWith, told } from '../support/answers';
import { type GraphQLAnswer, TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  erase,
  flaws,
  mails,
  newestCode,
  rejection,
  rejectUpdate,
  transitionsAndEvents,
  Updates,
  writerOf,
} from '../support/credentials';

const hour = 3_600_000;
const approvedReplacing = [
  'kinds: [REMOVE], methodIsDefault: true',
  'kinds: [REMOVE, REPLACE_CARD], methodIsDefault: true',
] as const;

let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  test = await TestApp.start({
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50'], approvedReplacing),
    environment: { DEMO_SIZE: '0.04' },
  });
  updates = new Updates(test);
});
beforeEach(() => updates.forgetDenials());
afterAll(async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
  await test.stop();
});

const notesAbout = (id: string): string[] => test.helpdesk.notes.filter(({ text }) => text.includes(id)).map(({ text }) => text);

/** Customer and supervisor have agreed to what was asked. */
const agreed = async (of: Case) => {
  const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
  await updates.enterCard(await updates.confirm(token), 'abroad');
  return { id, token };
};

describe('whoever reads the ticket', () => {
  it('learns of the method no more than the policy shows them: notes name neither card nor digits', async () => {
    const matched = await updates.open(demoTickets.matched.reference, 2);
    const own = await updates.next({ subscribed: false });
    for (const each of [matched, own]) {
      const { id } = await agreed(each);
      expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
      await updates.drain();
      expect(await updates.state(id)).toBe('APPLIED');
      const notes = notesAbout(id);
      expect(notes).toHaveLength(2);
      for (const note of notes) {
        expect(note.replaceAll(id, '')).not.toMatch(/\d|•|visa|mastercard|american/i);
      }
    }
  });
});

describe('the log', () => {
  it('holds nothing of the new card in a leaf, its country neither: erasure must reach all of it', async () => {
    const of = await updates.next({ subscribed: false });
    const { id } = await agreed(of);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    const [entered] = (await test.events('credential.card-entered')).filter(
      ({ subject }) => (subject as { id: string }).id === id,
    );
    expect(entered?.detail).toEqual({
      kind: 'REPLACE_CARD',
      from: 'AWAITING_PROVIDER',
      to: 'AWAITING_APPROVAL',
      authenticated: false,
      waitsUntil: expect.any(String),
    });
  });
});

describe('an update whose customer is erased', () => {
  const erased = async (of: Case, id: string): Promise<void> => {
    await erase(test, of.customerId);
    await updates.drain();
    await updates.wait(2 * hour, 20 * 60_000);
    expect((await updates.path(id)).at(-1)).toBe('FAILED CUSTOMER_ERASED');
  };

  it('before the link was sent is over, and nobody gets a mail about it', async () => {
    const of = await updates.next();
    const id = (await updates.request(of, of.usual, 'BILLING_ADDRESS')).data.requestCredentialUpdate.id as string;
    const sent = await mails(test, 1_000);
    await erased(of, id);
    expect(await mails(test, 1_000)).toEqual(sent);
  });

  it('while it waits for a supervisor can still be rejected', async () => {
    const of = await updates.next({ subscribed: false });
    const { id } = await agreed(of);
    await erase(test, of.customerId);
    expect(told(await test.as('sam', rejectUpdate, { id, reason: rejection })).errors).toEqual([]);
    await updates.drain();
    expect((await updates.path(id)).at(-1)).toBe('REJECTED');
  });

  it('while an answer of the provider is lost is over, as nobody can ask any more what came of it', async () => {
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    updates.provider.loseAnswers(1, { executed: true });
    await updates.confirm(token);
    await updates.drain();
    expect(await updates.state(id)).toBe('UNKNOWN');
    await erased(of, id);
  });
});

describe('whoever reads the customer’s mailbox, and has no code', () => {
  const confirmed = async () => {
    const of = await updates.next({ subscribed: false });
    const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
    const answer = await updates.confirm(token);
    const url = answer.outcome === 'continue' ? answer.view.continueAt : null;
    expect(url).toMatch(/^http/);
    return { of, id, token, url: url as string };
  };
  const get = async (token: string) => (await test.server.inject({ url: `/confirm/${token}` })).body;

  it('is not led to the provider’s page once the customer has said yes, to enter a card of their own', async () => {
    const { id, token, url } = await confirmed();
    const view = await updates.desk.view(token);
    expect(view).toMatchObject({ stage: 'AT_PROVIDER', continueAt: null });
    const page = await get(token);
    expect(page).toContain('name="code"');
    expect(page).not.toContain(url.slice(url.lastIndexOf('/')));
    const shown = view?.shown ?? '';
    for (const code of ['', '12345', 'x'])
      expect(await updates.desk.confirm(token, { shown, code, address: null })).toMatchObject({
        outcome: 'again',
        view: { continueAt: null },
      });
    // The customer, who left that page, comes back to it.
    await updates.desk.sendCode(token);
    expect(await updates.desk.confirm(token, { shown, code: await newestCode(test), address: null })).toMatchObject({
      outcome: 'continue',
      view: { continueAt: url },
    });
    expect(await updates.state(id)).toBe('AWAITING_PROVIDER');
  });

  it('guesses no code there either: the tries are those that the yes left', async () => {
    const { id, token } = await confirmed();
    const code = await newestCode(test);
    const wrong = code === '000000' ? '000001' : '000000';
    const shown = (await updates.desk.view(token))?.shown ?? '';
    const outcomes = [];
    for (let tries = 0; tries < 6; tries += 1)
      outcomes.push((await updates.desk.confirm(token, { shown, code: wrong, address: null })).outcome);
    expect(outcomes).toEqual(['again', 'again', 'again', 'again', 'dead', 'dead']);
    expect((await updates.path(id)).at(-1)).toBe('CANCELLED CODE_TRIES');
  });
});

describe('a ticket with ever more updates', () => {
  it('shows the newest fifty, so that no list of tickets becomes a flood', async () => {
    const of = await updates.next();
    const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS');
    const row = await updates.row(data.requestCredentialUpdate.id);
    const columns = Object.keys(row);
    const copies = Array.from({ length: 60 }, (_, index) => ({
      ...row,
      id: `cru_copy_${index}`,
      request_key: `copy ${index}`,
      open_key: null,
      created_at: Number(row.created_at) + 1 + index,
    }));
    for (const copy of copies) {
      const values = Object.values(copy);
      await writerOf(test).query(
        `INSERT INTO credential_update (${columns.join(', ')}) VALUES (${values.map(() => '?').join(', ')})`,
        values,
      );
    }
    const answer = await test.as('ana', 'query($id: ID!) { ticket(id: $id) { credentialUpdates { id } } }', { id: of.ticketId });
    expect(told(answer)).toEqual({
      data: {
        ticket: {
          credentialUpdates: copies
            .slice(-50)
            .reverse()
            .map(({ id }) => ({ id })),
        },
      },
      errors: [],
    });
    await writerOf(test).query("DELETE FROM credential_update WHERE id LIKE 'cru_copy_%'");
    await updates.drain();
  });
});

describe('a supervisor', () => {
  it('approves nothing that is confirmed from a mailbox of their own', async () => {
    const of = await updates.next({ subscribed: false });
    await updates.changeCustomer(of, { email: 'sam@staff.example.com' });
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    expect(await updates.row(id)).toMatchObject({ risk_rules: expect.stringContaining('contact-is-staff') });
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([
      ['approveCredentialUpdate', 'DENIED', 'OWN_CONTACT'],
    ]);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
  });
});

describe('a provider', () => {
  it('that names a card the customer had before as the new one loses them nothing', async () => {
    const of = await updates.next({ methods: 2, subscribed: false });
    const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
    const methods = await updates.methodsOf(of);
    const known = methods.find(({ reference }) => reference === of.other.reference);
    const answer = await updates.confirm(token);
    const { provider } = updates;
    const read = provider.readSetup.bind(provider);
    provider.readSetup = async (reference) => ({
      ...(await read(reference)),
      method: known ? { ...known, country: 'DE' } : null,
    });
    await updates.enterCard(answer);
    provider.readSetup = read;
    await updates.drain();
    expect((await updates.path(id)).at(-1)).toBe('FAILED SETUP_ENDED');
    expect(updates.executions(id)).toEqual(['OPEN_SETUP']);
    expect((await updates.methodsOf(of)).map(({ reference }) => reference)).toEqual(
      expect.arrayContaining(methods.map(({ reference }) => reference)),
    );
  });
});

describe('acts that come all at once', () => {
  it('wait for each other without a fault: asking, answering, calling off, deciding, syncing and working', async () => {
    const cases: Case[] = [];
    for (let each = 0; each < 3; each += 1) cases.push(await updates.next());
    const begin = async (of: Case) => {
      const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
      return { of, id, token, consent: await updates.consent(token) };
    };
    const act = async ({ of, id, token, consent }: Awaited<ReturnType<typeof begin>>): Promise<GraphQLAnswer[]> => {
      const [, called, again, approved] = await Promise.all([
        updates.desk.confirm(token, consent),
        test.as('ana', cancelUpdate, { id }),
        updates.request(of, of.usual, 'BILLING_ADDRESS'),
        test.as('sam', approveUpdate, { id }),
        updates.desk.refuse(token, consent.shown),
        updates.drain(),
        test.app.services.jobs.hasten('SETUP', 'demo-pay'),
        test.app.sources.confirmLink(of.customerId),
        test.app.sources.refreshTicket('demo', of.reference),
        test.app.sources.syncAll(),
        test.app.services.credentialExpiry.run(),
      ]);
      return [called, again, approved] as GraphQLAnswer[];
    };
    const codes = [];
    for (let round = 0; round < 3; round += 1) {
      const begun: Awaited<ReturnType<typeof begin>>[] = [];
      for (const each of cases) begun.push(await begin(each));
      for (const answer of (await Promise.all(begun.map(act))).flat())
        codes.push(...(answer.errors ?? []).map(({ extensions }) => extensions.code));
      await updates.drain();
      for (const each of cases) {
        const open = await test.app.database.query<{ id: string }>(
          'SELECT id FROM credential_update WHERE customer_id = ? AND open_key IS NOT NULL',
          [each.customerId],
        );
        for (const { id } of open) await test.as('ana', cancelUpdate, { id });
      }
    }
    expect(codes.filter((code) => code !== 'CONFLICT' && code !== 'DENIED')).toEqual([]);
    expect(test.logLines.filter((line) => line.includes('a request failed') || line.includes('"internal"'))).toEqual([]);
  });
});

describe('a kind that the policy no longer offers', () => {
  it('is neither confirmed nor applied any more, though it was asked for before', async () => {
    const [of, other] = [await updates.next({ subscribed: false }), await updates.next({ subscribed: false })];
    const asked = await updates.asked(of, of.usual, 'REMOVE');
    const confirmed = await updates.asked(other, other.usual, 'REMOVE');
    expect((await updates.confirm(confirmed.token)).outcome).toBe('confirmed');
    const file = join(test.dataFolder, 'exposure.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {4}REMOVE: .*$/m, ''));
    await test.restart();
    expect(await updates.desk.view(asked.token)).toBeNull();
    expect(told(await test.as('sam', approveUpdate, { id: confirmed.id })).errors).toEqual([]);
    await updates.drain();
    expect((await updates.path(confirmed.id)).at(-1)).toBe('FAILED NOT_OFFERED');
    expect(updates.executions(confirmed.id)).toEqual([]);
  });
});
