import { verifyInclusion } from '../../src/audit/merkle';
import { csvOf, markdownOf, minimisationReport } from '../../src/features/audit/minimisation';
import { RequestAccess } from '../../src/graphql/request-access';
import { scrub } from '../../src/ledger/scrub';
import { matchesAuditDigest } from '../../src/privacy/digests';
import { eventsOf, told } from '../support/answers';
import type { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { shownIn } from '../support/disclosed';
import { sampleTicket, startSample } from '../support/sample';

const context = `{ ticketByReference(source: "demo", reference: "${sampleTicket}") { subject customer { displayName email phone paymentMethods { last4 token } } } }`;
let test: TestApp;
const turn = () => test.app.signingLog?.sequencer.turn();
const day = new Date('2026-09-01T00:00:00Z');
const nextDay = new Date('2026-09-02T00:00:00Z');

beforeAll(async () => {
  ({ test } = await startSample());
  expect(told(await test.as('ana', context)).errors).toEqual([]);
  await test.as('ana', context);
  await test.as('ben', context);
  await test.as('pia', '{ tickets { nodes { id } } }');
  await test.as('ana', '{ tickets(first: 3) { nodes { subject } } }');
  await turn();
  await test.as('ada', '{ auditEvents(first: 3) { nodes { id customerId } } }');
  await turn();
});
afterAll(() => test.stop());

describe('the minimisation report', () => {
  it('says per role, field and purpose what was revealed, masked and denied', async () => {
    const { lines } = await minimisationReport(test.app.database, day, nextDay);
    const line = (roles: string, field: string) => lines.filter((each) => each.roles === roles && each.field === field);
    expect(line('AGENT', 'Customer.email')).toEqual([
      { roles: 'AGENT', field: 'Customer.email', purpose: 'PAYMENT_QUESTION', revealed: 0, masked: 2, denied: 0 },
    ]);
    expect(line('AGENT', 'PaymentMethod.last4')).toEqual([
      { roles: 'AGENT', field: 'PaymentMethod.last4', purpose: 'PAYMENT_QUESTION', revealed: 4, masked: 0, denied: 0 },
    ]);
    expect(line('PAYMENTS', 'Query.tickets')).toMatchObject([{ revealed: 0, masked: 0, denied: 1 }]);
    expect(line('AUDITOR', 'Query.auditEvents')).toMatchObject([{ purpose: '-', revealed: 3 }]);
  });

  it('has totals that are the disclosures and denials of the log', async () => {
    const report = await minimisationReport(test.app.database, day, nextDay);
    const totals = { revealed: 0, masked: 0, denied: 0 };
    for (const event of await test.events('disclosure')) {
      for (const [, verdict, count] of await shownIn(test, event)) {
        if (verdict === 'reveal') totals.revealed += count;
        else if (verdict.startsWith('mask:')) totals.masked += count;
        else totals.denied += count;
      }
    }
    const denials = await test.events('denial');
    for (const { detail } of denials) totals.denied += (detail as { count: number }).count;
    expect(report.totals).toEqual(totals);
    const sum = (pick: 'revealed' | 'masked' | 'denied') => report.lines.reduce((all, line) => all + line[pick], 0);
    expect({ revealed: sum('revealed'), masked: sum('masked'), denied: sum('denied') }).toEqual(totals);
    expect([report.disclosures, report.denials]).toEqual([(await test.events('disclosure')).length, denials.length]);
    expect(await minimisationReport(test.app.database, nextDay, new Date('2026-09-03T00:00:00Z'))).toMatchObject({
      lines: [],
      disclosures: 0,
    });
  });

  it('is Markdown and CSV that say which log it is of, and that nothing anchors it', async () => {
    const report = await minimisationReport(test.app.database, day, nextDay);
    const ground = { origin: 'log.example.com', checkpoint: { size: 7, root: 'cm9vdA==', unanchored: true }, anchors: [] };
    const markdown = markdownOf(
      { ...report, lines: report.lines.slice(0, 1).map((line) => ({ ...line, field: 'A|B\n<script>' })) },
      ground,
    );
    expect(markdown).toContain('UNANCHORED');
    expect(markdown).toContain('| A\\|B\\ \\<script\\>');
    expect(markdown).toContain(`${report.totals.masked} masked`);
    const rows = csvOf(report, ground).toString('utf8').split('\r\n');
    expect(rows[1]).toContain('"UNANCHORED"');
    expect(rows.at(-2)).toBe(`"total","","","${report.totals.revealed}","${report.totals.masked}","${report.totals.denied}"`);
  });
});

describe('after a customer’s key was destroyed', () => {
  it('every proof still holds, and the digests in the leaves mean nothing', async () => {
    const database = test.app.database;
    const [row] = await database.query<{
      id: string;
      customer_id: string;
      leaf: Buffer;
      leaf_hash: string;
      leaf_index: number;
    }>(
      `SELECT e.id, c.customer_id, e.leaf, l.leaf_hash, l.leaf_index FROM audit_customer c JOIN audit_event e ON e.id = c.event_id
         JOIN audit_leaf l ON l.event_id = e.id WHERE e.action = 'disclosure' ORDER BY l.leaf_index LIMIT 1`,
    );
    if (!row) throw new Error('expected a disclosure about a customer');
    const leaf = JSON.parse(row.leaf.toString('utf8')) as { salt: string; customers: string[] };
    const digest = leaf.customers[0] ?? '';
    const keyOf = async () => {
      const named = await test.keys.customerUnderDigest(database, row.customer_id);
      return named?.digest(Buffer.from(leaf.salt, 'base64url'));
    };
    expect(await keyOf()).toBe(digest);
    await tamper(database, 'UPDATE privacy_customer_key SET wrapped = NULL, destroyed_at = 1 WHERE owner = ?', [row.customer_id]);
    await tamper(database, 'DELETE FROM audit_customer WHERE customer_id = ?', [row.customer_id]);
    expect(await keyOf()).toBe('erased');
    // Whoever guesses whom it is about, and has the leaf, still lacks the key.
    for (const guess of [Buffer.alloc(32, 1), Buffer.from('0123456789abcdef0123456789abcdef')])
      expect(matchesAuditDigest(guess, Buffer.from(leaf.salt, 'base64url'), row.customer_id, digest)).toBe(false);
    await turn();
    const proof = told(
      await test.as(
        'ada',
        'query ($id: ID!) { auditInclusionProof(eventId: $id) { leafIndex treeSize path rootHash leafHash } }',
        { id: row.id },
      ),
    ).data.auditInclusionProof;
    const hex = (text: string) => Buffer.from(text, 'hex');
    expect(verifyInclusion(proof.treeSize, proof.leafIndex, hex(proof.leafHash), proof.path.map(hex), hex(proof.rootHash))).toBe(
      true,
    );
    expect((await scrub(database, () => [])).findings.filter(({ what }) => what !== 'CHECKPOINT')).toEqual([]);
    const { data } = told(await test.as('ada', '{ auditEvents(first: 100) { nodes { id customers { id } } } }'));
    expect(data.auditEvents.nodes.find(({ id }: { id: string }) => id === row.id).customers).toEqual([]);
  });
});

describe('the report in the graph', () => {
  const query = `query ($from: DateTime!, $before: DateTime!) { auditReport(from: $from, before: $before) {
    from before leavesFrom leavesTo disclosures denials revealed masked denied lines { roles field purpose revealed masked denied }
  } }`;
  const span = { from: day.toISOString(), before: nextDay.toISOString() };

  it('is what the command prints, and who reads it is on record', async () => {
    const expected = await minimisationReport(test.app.database, day, nextDay);
    const events = await eventsOf(test, async () => {
      const { data, errors } = told(await test.as('ada', query, span));
      expect(errors).toEqual([]);
      const { leaves, totals, lines, disclosures, denials } = expected;
      expect(data.auditReport).toEqual({
        from: day.toISOString(),
        before: nextDay.toISOString(),
        leavesFrom: leaves.from,
        leavesTo: leaves.to,
        ...totals,
        disclosures,
        denials,
        lines,
      });
    });
    const shown = events.find(({ action }) => action === 'disclosure');
    expect(shown).toMatchObject({ detail: { objects: { AuditReport: [`${expected.leaves.from}-${expected.leaves.to}`] } } });
    expect(await shownIn(test, shown)).toContainEqual(['Query.auditReport', 'reveal', 1]);
  });

  it('is for auditors with a second factor, and for no longer a span than a month', async () => {
    for (const who of ['ana', 'sam', 'pia', 'pru', 'oz'])
      expect(told(await test.as(who, query, span)).errors.map((error) => error.slice(1))).toEqual([['DENIED', 'ROLE']]);
    const token = await test.token('ada', { mfa: false });
    const reasons = told(await test.as({ token }, query, span)).errors.map((error) => error.slice(1));
    expect(new Set(reasons.map(String))).toEqual(new Set(['DENIED,MFA_REQUIRED']));
    for (const [from, before] of [
      [span.from, span.from],
      [span.before, span.from],
      [span.from, '2026-10-04T00:00:00Z'],
    ])
      expect(told(await test.as('ada', query, { from, before })).errors.map((error) => error.slice(1))).toEqual([
        ['INVALID', 'before'],
      ]);
  });

  it('isn’t made of a log that was altered: it says so, and where', async () => {
    const [row] = await test.app.database.query<{ id: string; leaf: Buffer; leaf_index: number }>(
      `SELECT e.id, e.leaf, l.leaf_index FROM audit_event e JOIN audit_leaf l ON l.event_id = e.id WHERE e.action = 'disclosure' ORDER BY l.leaf_index LIMIT 1`,
    );
    if (!row) throw new Error('expected a disclosure');
    const altered = Buffer.from(row.leaf.toString('utf8').replace('"AGENT"', '"ADMIN"'));
    await tamper(test.app.database, 'UPDATE audit_event SET leaf = ? WHERE id = ?', [altered, row.id]);
    try {
      const answer = await test.as('ada', query, span);
      expect(told(answer).errors.map((error) => error.slice(1))).toEqual([['CONFLICT']]);
      expect(answer.errors?.[0]?.message).toContain(`Leaf ${row.leaf_index} `);
    } finally {
      await tamper(test.app.database, 'UPDATE audit_event SET leaf = ? WHERE id = ?', [row.leaf, row.id]);
    }
  });

  it('is made twice at once, and a third time later', async () => {
    const { auditReports } = test.app.services;
    const access = new RequestAccess(new Map(), { digest: () => '' });
    const made = await Promise.allSettled([1, 2, 3].map(() => auditReports.of(access, day, nextDay)));
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(made[2]).toMatchObject({ reason: { code: 'OVERLOADED', details: { retryAfter: 5 } } });
    await expect(auditReports.of(access, day, nextDay)).resolves.toMatchObject({ disclosures: expect.any(Number) });
  });
});
