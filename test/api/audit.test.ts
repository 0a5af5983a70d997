import { openCheckpoint } from '../../src/audit/checkpoint';
import { verifyConsistency, verifyInclusion } from '../../src/audit/merkle';
import { verifierKeyOf } from '../../src/audit/note';
import { signersOf } from '../../src/ledger/checkpoints';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { somebody } from '../support/actor';
import { ticketIdOf, told } from '../support/answers';
import type { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { sampleTicket, startSample } from '../support/sample';

const context = `{ ticketByReference(source: "demo", reference: "${sampleTicket}") {
  subject customer { displayName email paymentMethods { last4 } } } }`;
const list = `query ($filter: AuditEventFilter, $first: Int, $after: String) { auditEvents(filter: $filter, first: $first, after: $after) {
  nodes { id at action outcome actor { id kind roles } ticketId ticketIds customerId customers { id } subject { type id }
    changes { name before after } disclosedFields { field verdict count } objects { type ids } leafIndex leafHash }
  pageInfo { hasNextPage endCursor } totalCount } }`;
const inclusion = `query ($id: ID!, $size: SafeInt) { auditInclusionProof(eventId: $id, treeSize: $size) {
  eventId leafIndex treeSize leafHash path rootHash checkpoint { note treeSize unanchored } } }`;

interface EventNode {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly actor: { readonly id: string };
  readonly customerId: string | null;
  readonly customers: readonly { readonly id: string }[];
  readonly ticketIds: readonly string[];
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly leafIndex: number;
  readonly leafHash: string;
}

let test: TestApp;
const turn = () => test.app.signingLog?.sequencer.turn();
const hex = (text: string) => Buffer.from(text, 'hex');
const verifierKeys = () => {
  const { origin, signingKey } = test.app.config.audit;
  return signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey)).map(verifierKeyOf);
};
const events = async (who: string, filter: Record<string, unknown> = {}) => {
  const { data, errors } = told(await test.as(who, list, { filter, first: 100 }));
  expect(errors).toEqual([]);
  return data.auditEvents.nodes as EventNode[];
};
const viewerId = async (who: string) => told(await test.as(who, '{ viewer { id } }')).data.viewer.id as string;
const customerId = async () => {
  const [row] = await test.app.database.query<{ customer_id: string }>('SELECT customer_id FROM assistance LIMIT 1');
  return row?.customer_id ?? '';
};

beforeAll(async () => {
  ({ test } = await startSample());
  expect(told(await test.as('ana', context)).errors).toEqual([]);
  test.clock.forward(1_000);
  await test.as('ben', context);
  await turn();
});
afterAll(() => test.stop());

describe('the log, as an auditor reads it', () => {
  it('names actor, ticket and fields, and whom it is about by a pseudonym only', async () => {
    const [disclosure] = await events('ada', { action: 'disclosure', ticketId: await ticketIdOf(test, sampleTicket) });
    expect(disclosure).toMatchObject({
      action: 'disclosure',
      outcome: 'ALLOWED',
      actor: { id: await viewerId('ana'), kind: 'staff', roles: ['AGENT'] },
      ticketId: await ticketIdOf(test, sampleTicket),
      ticketIds: [await ticketIdOf(test, sampleTicket)],
      customerId: expect.stringMatching(/^#/),
      disclosedFields: expect.arrayContaining([
        { field: 'Customer.email', verdict: 'mask:email', count: 1 },
        { field: 'PaymentMethod.last4', verdict: 'reveal', count: 2 },
      ]),
      objects: expect.arrayContaining([{ type: 'PaymentMethod', ids: expect.any(Array) }]),
      leafHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(disclosure?.customers).toEqual([{ id: disclosure?.customerId }]);
    expect(JSON.stringify(await events('ada'))).not.toContain(await customerId());
  });

  it('comes in its own order, page by page, and a page stays what it was while the log grows', async () => {
    const page = async (after?: string) =>
      told(await test.as('ada', list, { first: 5, ...(after ? { after } : {}) })).data.auditEvents as {
        nodes: { id: string; leafIndex: number }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
        totalCount: number;
      };
    const first = await page();
    const second = await page(first.pageInfo.endCursor);
    await test.as('ana', context);
    await turn();
    expect(await page()).toMatchObject({ nodes: first.nodes, pageInfo: { hasNextPage: true } });
    const again = await page(first.pageInfo.endCursor);
    expect(again.nodes).toEqual(second.nodes);
    expect(again.totalCount).toBeGreaterThan(second.totalCount);
    expect([...first.nodes, ...second.nodes].map(({ leafIndex }) => leafIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const foreign = await test.as('ada', list, { first: 5, after: first.pageInfo.endCursor, filter: { action: 'denial' } });
    expect(told(foreign).errors).toEqual([['auditEvents', 'INVALID', 'after']]);
  });

  it('is narrowed by each filter, with times half-open', async () => {
    const all = await events('ada');
    const ana = await viewerId('ana');
    const by = async (filter: Record<string, unknown>) => (await events('ada', filter)).map(({ id }) => id);
    const ids = (keep: (event: EventNode) => boolean) => all.filter(keep).map(({ id }) => id);
    const known = new Set(all.map(({ id }) => id));
    const old = async (filter: Record<string, unknown>) => (await by(filter)).filter((id) => known.has(id));
    expect(await old({ actorId: ana })).toEqual(ids(({ actor }) => actor.id === ana));
    expect(await old({ outcome: 'DENIED' })).toEqual(ids(({ outcome }) => outcome === 'DENIED'));
    expect(await old({ action: 'assistance.begin' })).toEqual(ids(({ action }) => action === 'assistance.begin'));
    const last = all.at(-1)?.id as string;
    expect(await by({ id: last })).toEqual([last]);
    expect(await by({ id: last, action: 'log.begin' })).toEqual([]);
    expect(await by({ id: 'evt_absent' })).toEqual([]);
    expect(await old({ subjectType: 'Source', subjectId: 'demo' })).toEqual(ids(({ subject }) => subject?.id === 'demo'));
    expect((await by({ customerId: await customerId() })).length).toBeGreaterThan(0);
    expect(await by({ customerId: 'cus_absent' })).toEqual([]);
    const at = '2026-09-01T09:00:01.000Z';
    expect(await old({ before: at })).toEqual(ids((event) => event.at < at));
    expect(await old({ from: at })).toEqual(ids((event) => event.at >= at));
    expect(ids((event) => event.at === at).length).toBeGreaterThan(0);
  });

  it('is asked for one event by its id, and of another’s says nothing to who acted otherwise', async () => {
    const ana = await viewerId('ana');
    const [own] = await events('ana', { action: 'disclosure' });
    const other = (await events('ada')).find(({ actor }) => actor.id !== ana);
    expect((await events('ana', { id: own?.id })).map(({ id }) => id)).toEqual([own?.id]);
    expect(await events('ana', { id: other?.id })).toEqual([]);
  });

  it('has the auditor’s own reading in it, whatever was read of it', async () => {
    const ada = await viewerId('ada');
    const [before] = [(await events('ada', { actorId: ada, action: 'disclosure' })).length];
    const { data } = told(await test.as('ada', '{ auditEvents(first: 2) { nodes { id } } }'));
    await turn();
    const mine = await events('ada', { actorId: ada, action: 'disclosure' });
    expect(mine.length).toBeGreaterThan(before);
    expect(mine).toContainEqual(
      expect.objectContaining({
        actor: { id: ada, kind: 'staff', roles: ['AUDITOR'] },
        disclosedFields: [{ field: 'Query.auditEvents', verdict: 'reveal', count: 2 }],
        objects: [{ type: 'AuditEvent', ids: (data.auditEvents.nodes as { id: string }[]).map(({ id }) => id).sort() }],
      }),
    );
  });

  it('finds an event that is about several tickets by each of them', async () => {
    await test.as('ana', '{ tickets(first: 5) { nodes { subject } } }');
    const id = await ticketIdOf(test, sampleTicket);
    await test.app.database.system('recorder', 'denial', async (change) =>
      change.recordFor(somebody, 'denial', {
        detail: { rule: 'Ticket.messages', reason: 'NO_ASSISTANCE', count: 2, tickets: [id, 'tkt_other'] },
      }),
    );
    await turn();
    for (const ticketId of [id, 'tkt_other'])
      expect((await events('ada', { ticketId, action: 'denial' })).map(({ ticketIds }) => ticketIds)).toEqual([
        [id, 'tkt_other'],
      ]);
  });

  it('says who was shown what about a customer, how often who did what, and which policy was in force', async () => {
    const id = await customerId();
    const shown = told(
      await test.as(
        'ada',
        'query ($id: ID!) { disclosures(customerId: $id, first: 1) { nodes { actor { id } disclosedFields { field } } totalCount } }',
        {
          id,
        },
      ),
    );
    expect(shown.errors).toEqual([]);
    expect(shown.data.disclosures.nodes).toMatchObject([
      { actor: { id: await viewerId('ana') }, disclosedFields: expect.arrayContaining([{ field: 'Customer.email' }]) },
    ]);
    const span = { from: '2026-09-01T00:00:00Z', before: '2026-09-02T00:00:00Z' };
    const counts = told(
      await test.as(
        'ada',
        'query ($from: DateTime!, $before: DateTime!) { auditCounts(from: $from, before: $before) { actorId action outcome count } }',
        span,
      ),
    );
    expect(counts.errors).toEqual([]);
    const [placed] = await test.app.database.query<{ n: number }>('SELECT COUNT(*) AS n FROM audit_leaf');
    const total = (counts.data.auditCounts as { count: number }[]).reduce((sum, { count }) => sum + count, 0);
    expect(total).toBe(Number(placed?.n));
    expect(
      told(
        await test.as(
          'ada',
          'query ($from: DateTime!, $before: DateTime!) { auditCounts(from: $before, before: $from) { count } }',
          span,
        ),
      ).errors,
    ).toEqual([['auditCounts', 'INVALID', 'before']]);
    const policy = 'query ($at: DateTime!) { policyInForce(at: $at) { digest since leafIndex } }';
    expect(told(await test.as('ada', policy, { at: '2026-09-01T12:00:00Z' }))).toEqual({
      data: {
        policyInForce: {
          digest: test.app.services.policy.digest,
          since: '2026-09-01T09:00:00.000Z',
          leafIndex: expect.any(Number),
        },
      },
      errors: [],
    });
    expect(told(await test.as('ada', policy, { at: '2026-08-01T12:00:00Z' }))).toEqual({
      data: { policyInForce: null },
      errors: [['policyInForce', 'NOT_FOUND']],
    });
  });
});

describe('the log, as others read it', () => {
  it('is their own doings and nobody else’s, in lists, counts and proofs', async () => {
    const ana = await viewerId('ana');
    const mine = await events('ana');
    expect(mine.length).toBeGreaterThan(0);
    expect(new Set(mine.map(({ actor }) => actor.id))).toEqual(new Set([ana]));
    const { data } = told(await test.as('ana', '{ auditEvents(first: 1) { totalCount } }'));
    expect(data.auditEvents.totalCount).toBe(mine.length);
    const [other] = await events('ada', { action: 'policy.in-force' });
    const refused = told(await test.as('ana', inclusion, { id: other?.id }));
    expect(refused).toEqual({ data: { auditInclusionProof: null }, errors: [['auditInclusionProof', 'NOT_FOUND']] });
    expect(told(await test.as('ana', inclusion, { id: 'evt_absent' }))).toEqual(refused);
    expect(told(await test.as('ana', inclusion, { id: mine[0]?.id })).data.auditInclusionProof.eventId).toBe(mine[0]?.id);
  });

  it('can’t be searched by what isn’t theirs', async () => {
    for (const filter of [{ actorId: await viewerId('ben') }, { customerId: await customerId() }])
      expect(told(await test.as('ana', list, { filter })).errors.map((error) => error.slice(1))).toEqual([
        ['DENIED', 'NOT_FILTERABLE'],
      ]);
    expect(told(await test.as('pia', list, {})).data.auditEvents.nodes).toEqual([]);
    for (const who of ['pru', 'pip', 'oz'])
      expect(told(await test.as(who, list, {})).errors.map((error) => error.slice(1))).toEqual([['DENIED', 'ROLE']]);
    for (const who of ['ana', 'pia', 'oz'])
      expect(
        told(
          await test.as(who, 'query ($id: ID!) { disclosures(customerId: $id) { totalCount } }', { id: await customerId() }),
        ).errors.map((error) => error.slice(1)),
      ).toEqual([['DENIED', 'ROLE']]);
  });

  it('tells a privacy officer who was shown what about a customer, and nothing else', async () => {
    const { data, errors } = told(
      await test.as('pru', 'query ($id: ID!) { disclosures(customerId: $id) { totalCount nodes { customerId } } }', {
        id: await customerId(),
      }),
    );
    expect(errors).toEqual([]);
    expect(data.disclosures.totalCount).toBeGreaterThan(0);
    expect(data.disclosures.nodes[0].customerId).toMatch(/^#/);
  });

  it('tells it of whom a ticket is about, too, and takes one name of them', async () => {
    const query = `query ($id: ID, $source: String, $reference: String) {
      disclosures(customerId: $id, source: $source, reference: $reference) { totalCount nodes { id } }
    }`;
    const reference = sampleTicket;
    const id = await customerId();
    for (const who of ['pru', 'ada']) {
      const byId = told(await test.as(who, query, { id }));
      expect(byId.data.disclosures.totalCount).toBeGreaterThan(0);
      const byTicket = told(await test.as(who, query, { source: 'demo', reference }));
      expect(byTicket).toEqual(byId);
      expect(told(await test.as(who, query, { source: 'demo', reference: 'no-such-ticket' })).errors).toEqual([
        ['disclosures', 'NOT_FOUND'],
      ]);
      for (const wrong of [{}, { source: 'demo' }, { reference }, { id, source: 'demo', reference }, { id, source: 'demo' }])
        expect(told(await test.as(who, query, wrong)).errors).toEqual([['disclosures', 'INVALID', 'customerId']]);
    }
    expect(told(await test.as('sam', query, { source: 'demo', reference })).errors).toEqual([['disclosures', 'DENIED', 'ROLE']]);
    await tamper(test.app.database, 'UPDATE helpdesk_ticket SET customer_id = NULL WHERE reference = ?', [reference]);
    expect(told(await test.as('pru', query, { source: 'demo', reference })).errors).toEqual([['disclosures', 'NOT_FOUND']]);
    await tamper(test.app.database, 'UPDATE helpdesk_ticket SET customer_id = ? WHERE reference = ?', [id, reference]);
  });

  it('tells an operator how many events wait, and how old the latest checkpoint is', async () => {
    await turn();
    test.clock.forward(30_000);
    const { body } = await test.server.inject({ method: 'GET', url: '/metrics' });
    expect(body).toMatch(/^counterfoil_audit_pending_events 0$/m);
    expect(body).toMatch(/^counterfoil_audit_checkpoint_age_seconds 30$/m);
  });

  it('is read by nobody without a second factor', async () => {
    const token = await test.token('ada', { mfa: false });
    for (const query of ['{ auditEvents { totalCount } }', '{ disclosures(customerId: "x") { totalCount } }'])
      expect(told(await test.as({ token }, query)).errors.map((error) => error.slice(1))).toEqual([['DENIED', 'MFA_REQUIRED']]);
  });
});

describe('proofs', () => {
  it('show that each event is in the tree that was signed', async () => {
    await turn();
    const all = await events('ada');
    for (const { id, leafIndex, leafHash } of [all[0], all[7], all.at(-1)] as EventNode[]) {
      const { data, errors } = told(await test.as('ada', inclusion, { id }));
      expect(errors).toEqual([]);
      const proof = data.auditInclusionProof;
      expect(proof).toMatchObject({ eventId: id, leafIndex, leafHash });
      const signed = openCheckpoint(proof.checkpoint.note, verifierKeys());
      expect([signed.size, signed.root]).toEqual([proof.treeSize, hex(proof.rootHash)]);
      expect(verifyInclusion(signed.size, leafIndex, hex(leafHash), proof.path.map(hex), signed.root)).toBe(true);
    }
  });

  it('show that one tree continues another, from the first size on and between equal ones', async () => {
    const consistency =
      'query ($from: SafeInt!, $to: SafeInt!) { auditConsistencyProof(from: $from, to: $to) { from to path fromRootHash toRootHash } }';
    const { data } = told(
      await test.as('ana', '{ auditCheckpoint { treeSize rootHash note unanchored origin anchors { anchor } } }'),
    );
    const head = data.auditCheckpoint;
    expect(head).toMatchObject({ unanchored: true, origin: 'counterfoil.invalid/development', anchors: [] });
    for (const from of [1, 2, 3, 7, head.treeSize - 1, head.treeSize]) {
      const answer = told(await test.as('ada', consistency, { from, to: head.treeSize }));
      expect(answer.errors).toEqual([]);
      const { path, fromRootHash, toRootHash } = answer.data.auditConsistencyProof;
      expect(toRootHash).toBe(head.rootHash);
      expect(path.length === 0).toBe(from === head.treeSize);
      expect(verifyConsistency(from, head.treeSize, hex(fromRootHash), hex(toRootHash), path.map(hex))).toBe(true);
    }
    for (const [from, to, argument] of [
      [0, head.treeSize, 'from'],
      [-1, 1, 'from'],
      [2, 1, 'from'],
      [1, head.treeSize + 1_000, 'to'],
    ])
      expect(told(await test.as('ada', consistency, { from, to })).errors).toEqual([
        ['auditConsistencyProof', 'INVALID', argument],
      ]);
  });

  it('of an event are had once it is signed, for sizes that hold it', async () => {
    const [event] = await events('ada', { action: 'assistance.begin' });
    const index = event?.leafIndex ?? -1;
    for (const size of [index, 0, -1, 1_000_000])
      expect([size, told(await test.as('ada', inclusion, { id: event?.id, size })).errors]).toEqual([
        size,
        [['auditInclusionProof', 'INVALID', 'treeSize']],
      ]);
    const { data } = told(await test.as('ada', inclusion, { id: event?.id, size: index + 1 }));
    const { leafHash, path, rootHash } = data.auditInclusionProof;
    expect(verifyInclusion(index + 1, index, hex(leafHash), path.map(hex), hex(rootHash))).toBe(true);
    await test.as('ana', context);
    const [waiting] = await test.app.database.query<{ event_id: string }>('SELECT event_id FROM audit_pending LIMIT 1');
    expect(told(await test.as('ada', inclusion, { id: waiting?.event_id })).errors).toEqual([
      ['auditInclusionProof', 'CONFLICT'],
    ]);
  });
});
