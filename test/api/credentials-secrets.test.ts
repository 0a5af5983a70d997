import { createHash, createHmac } from 'node:crypto';
import { printSchema } from 'graphql';
import { demoTickets } from '../../src/development/merchant/cast';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, type Case, newAddress, newestCode, readUpdate, Updates, wholeDatabase } from '../support/credentials';

/**
 * What an attacker has: everything that is stored, logged, measured, shown and noted of one update that went through link,
 * code and approval, and two more that stand where link and code still work. Not the installation's own secret, which
 * encrypts keys outside the database.
 */
interface Loot {
  readonly everything: string;
  /** The same in small letters. */
  readonly lowered: string;
  readonly tokens: readonly string[];
  readonly codes: readonly { readonly id: string; readonly code: string }[];
  readonly addresses: readonly string[];
  readonly references: readonly string[];
}

let test: TestApp;
let updates: Updates;
let loot: Loot;
let waiting: { id: string; token: string };

/** As a text may stand somewhere: as it is and in the forms that bytes are written in. */
const formsOf = (text: string | Buffer): string[] => {
  const bytes = Buffer.from(text as string);
  return [
    ...(typeof text === 'string' ? [text] : []),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
};
/** Digests that anybody can make. */
const digestsOf = (text: string): string[] =>
  ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'blake2b512'].flatMap((name) =>
    formsOf(createHash(name).update(text).digest()),
  );
const found = (texts: readonly string[]): string[] => texts.filter((text) => loot.lowered.includes(text.toLowerCase()));

const graph = `query All($id: ID!, $ticket: ID!) {
  credentialUpdate(id: $id) {
    id kind state reason failure riskRules needsCode needsApproval createdAt expiresAt
    before { brand last4 expiryMonth expiryYear country isDefault billingAddress { line1 line2 city state postalCode country } }
    after { brand last4 expiryMonth expiryYear country isDefault billingAddress { line1 line2 city state postalCode country } }
    confirmation { outcome channel proofs shownDigest at } approval { decision at by { id displayName } }
    requestedBy { id displayName } history { at from to actor reason by { id displayName } }
    paymentMethod { id token last4 billingAddress { line1 city } } ticket { id reference }
  }
  ticket(id: $ticket) {
    subject messages(first: 50) { nodes { body author { ... on StaffAuthor { displayName } } } }
    credentialUpdates { id state } customer { displayName email phone paymentMethods { id token last4 } }
  }
}`;

const throughTheDoor = async (of: Case) => {
  const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
  await updates.desk.sendCode(token);
  const code = await newestCode(test);
  expect((await updates.confirm(token, { code, address: { ...newAddress, line1: 'Zqstreet 17', city: 'Zqtown' } })).outcome).toBe(
    'confirmed',
  );
  expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
  await updates.drain();
  expect(await updates.state(id)).toBe('APPLIED');
  return { id, token, code };
};

beforeAll(async () => {
  test = await TestApp.start();
  updates = new Updates(test);
  const matched = await updates.caseOf(demoTickets.matched.reference, 2);
  const done = await throughTheDoor(matched);
  const coded = await updates.next();
  const open = await updates.asked(coded, coded.other, 'REMOVE');
  await updates.desk.sendCode(open.token);
  const code = await newestCode(test);
  // What the page's address would leave in a log, the page opened, misused and refused.
  for (const token of [done.token, open.token]) await test.server.inject({ method: 'GET', url: `/confirm/${token}` });
  for (const operation of [{ code: '000000' }, { code }])
    await test.server.inject({
      method: 'POST',
      url: `/confirm/${open.token}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(operation).toString(),
    });
  const card = await updates.next({ subscribed: false });
  const replaced = await updates.asked(card, card.usual, 'REPLACE_CARD');
  const page = await updates.confirm(replaced.token);
  waiting = open;
  const answers = [];
  for (const { id, of } of [
    { id: done.id, of: matched },
    { id: open.id, of: coded },
    { id: replaced.id, of: card },
  ])
    for (const who of ['ana', 'sam']) answers.push(await test.as(who, graph, { id, ticket: of.ticketId }));
  const metrics = await test.server.inject({ method: 'GET', url: '/metrics' });
  const everything = [
    JSON.stringify(await wholeDatabase(test)),
    // Bytes as the text that they may be.
    JSON.stringify(await wholeDatabase(test)).replace(/(?:[0-9a-f]{2}){8,}/g, (hex) =>
      Buffer.from(hex, 'hex').toString('latin1'),
    ),
    test.logLines.join(''),
    JSON.stringify(answers),
    JSON.stringify(test.helpdesk.notes),
    metrics.body,
  ].join('\n');
  const url = page.outcome === 'continue' ? (page.view.continueAt ?? '') : '';
  loot = {
    everything,
    lowered: everything.toLowerCase(),
    tokens: [done.token, open.token, replaced.token],
    codes: [
      { id: done.id, code: done.code },
      { id: open.id, code },
    ],
    addresses: ['Zqstreet 17'],
    references: [
      url,
      url.slice(url.lastIndexOf('/') + 1),
      ...[matched, coded, card].flatMap(({ payer, methods }) => [payer, ...methods.map(({ reference }) => reference)]),
    ],
  };
});
afterAll(() => test.stop());

describe('whoever sees the ticket, the graph, the log, the measurements and every row of the database', () => {
  it('would find what is there to be found', () => {
    const ids = loot.codes.map(({ id }) => id);
    expect(found([...ids, 'counterfoil_', 'AWAITING_CUSTOMER', 'credential.link-sent', '/confirm/:token'])).toEqual([
      ...ids,
      'counterfoil_',
      'AWAITING_CUSTOMER',
      'credential.link-sent',
      '/confirm/:token',
    ]);
  });

  it('finds no token, in whatever form', () => {
    expect(loot.tokens.every((token) => Buffer.from(token, 'base64url').length === 32)).toBe(true);
    expect(found(loot.tokens.flatMap((token) => [...formsOf(token), ...formsOf(Buffer.from(token, 'base64url'))]))).toEqual([]);
  });

  it('finds no digest of a token or a code that could be made without the installation’s secret', () => {
    const tokens = loot.tokens.flatMap((token) => [
      ...digestsOf(token),
      ...digestsOf(Buffer.from(token, 'base64url').toString('latin1')),
    ]);
    const codes = loot.codes.flatMap(({ id, code }) =>
      [code, `${id} ${code}`, `${id}:${code}`, `${id}${code}`, `${code}${id}`, `${code} ${id}`].flatMap(digestsOf),
    );
    expect(found([...tokens, ...codes])).toEqual([]);
  });

  it('can’t try out a million codes against what is stored: none of them makes the stored digest, keyed by anything that is stored', async () => {
    const row = await updates.row(waiting.id);
    const stored = String(row.code_digest);
    expect(stored.length).toBeGreaterThanOrEqual(32);
    const known = loot.codes.find(({ id }) => id === waiting.id)?.code ?? '';
    const values = Object.values(await wholeDatabase(test)).flatMap((rows) =>
      rows.flatMap((text) =>
        Object.values(JSON.parse(text) as Record<string, unknown>).filter((value) => typeof value === 'string'),
      ),
    ) as string[];
    // The right code is known here: a key that is stored would be found with it alone.
    const keys = [...new Set(values)].flatMap((value) => [
      value,
      ...(/^(?:[0-9a-f]{2})+$/.test(value) ? [Buffer.from(value, 'hex')] : []),
    ]);
    const texts = [
      known,
      `${waiting.id} ${known}`,
      `credential-code ${waiting.id} ${known}`,
      `credential-code\0${waiting.id} ${known}`,
    ];
    const matches = keys.filter((key) =>
      texts.some((text) => {
        const digest = createHmac('sha256', key).update(text).digest();
        return [digest.toString('hex'), digest.toString('base64url'), digest.toString('base64')].includes(stored);
      }),
    );
    expect(matches).toEqual([]);
  });

  it('finds no code beside the update that it is for', () => {
    // Six digits may stand anywhere by chance: what counts is whether they stand where somebody would look for them.
    for (const { code } of loot.codes) {
      const places = [...loot.everything.matchAll(new RegExp(`(?<![0-9a-f])${code}(?![0-9a-f])`, 'gi'))].map(({ index }) =>
        loot.everything.slice(Math.max(0, index - 40), index + 46),
      );
      expect(places.filter((place) => /code|confirm|credential/i.test(place))).toEqual([]);
    }
  });

  it('finds neither the address that the customer typed, nor the provider’s page, nor its names for customer and methods', () => {
    expect(found(loot.addresses)).toEqual([]);
    expect(found(loot.references)).toEqual([]);
  });
});

describe('staff', () => {
  it('can’t confirm: nothing in the graph takes a token or a code, and a session is worth nothing on the page', async () => {
    expect(printSchema(test.app.schema)).not.toMatch(
      /\b(confirmCredentialUpdate|confirmationToken|token|code): String!?\)|input Confirm|\(token:|\(code:/i,
    );
    const token = await test.token('ana');
    const before = await updates.row(waiting.id);
    for (const url of [`/confirm/${waiting.id}`, `/confirm/${before.request_key}`, `/confirm/${token}`]) {
      const page = await test.server.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
      expect(page.body).not.toContain('Ana Ferreira');
      expect(await updates.desk.view(url.slice('/confirm/'.length))).toBeNull();
    }
    expect(await updates.row(waiting.id)).toEqual(before);
  });

  it('can’t confirm with what the database holds of a link', async () => {
    const links = await test.app.database.query<{ id: string; token_digest: string }>(
      'SELECT id, token_digest FROM credential_link',
    );
    expect(links.length).toBeGreaterThan(2);
    for (const { id, token_digest } of links) {
      for (const given of [id, token_digest]) {
        expect(await updates.desk.view(given)).toBeNull();
        expect(await updates.desk.confirm(given, { shown: '', code: '', address: null })).toEqual({ outcome: 'dead' });
        expect(await updates.desk.sendCode(given)).toEqual({ outcome: 'dead' });
      }
    }
    expect((await updates.desk.view(waiting.token))?.stage).toBe('ASKED');
  });

  it('that is an actor of the log is never the customer: who confirmed is the customer of that one update', async () => {
    const { data } = await test.as('ana', readUpdate, { id: loot.codes[0]?.id });
    expect(data.credentialUpdate.history.map(({ to, actor }: { to: string; actor: string }) => [to, actor])).toEqual([
      ['REQUESTED', 'STAFF'],
      ['AWAITING_CUSTOMER', 'SYSTEM'],
      ['AWAITING_APPROVAL', 'CUSTOMER'],
      ['APPLYING', 'STAFF'],
      ['APPLIED', 'SYSTEM'],
    ]);
    const events = await test.events('credential.confirm');
    expect(new Set(events.map(({ actor }) => (actor as { kind: string }).kind))).toEqual(new Set(['customer']));
  });
});
