import { AuditExports } from '../../src/features/audit/exports.service';
import { minimisationReport } from '../../src/features/audit/minimisation';
import { Checkpoints } from '../../src/ledger/checkpoints';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { sampleTicket, startSample } from '../support/sample';

const context = `{ ticketByReference(source: "demo", reference: "${sampleTicket}") { subject customer { displayName email } } }`;
const hours = [10, 11, 12] as const;
const at = (hour: number) => new Date(Date.UTC(2026, 8, 1, hour));

let test: TestApp;
let customerId: string;
const turn = () => test.app.signingLog?.sequencer.turn();
const sql = (text: string, values: readonly unknown[] = []) => tamper(test.app.database, text, values);

/** Indexes of the leaves that an export about the customer has, and of those whose rows say otherwise. */
const exported = async () => {
  const { database, config } = test.app;
  const customer = await test.keys.customerUnderDigest(database, customerId);
  const exports = new AuditExports(database, new Checkpoints(database, config.audit.origin));
  const plan = await exports.plan({ from: null, before: null, customerId, since: [] });
  const [selected, differing]: [number[], number[]] = [[], []];
  const lines = exports.ndjson(plan, customer, {
    onLeaf: ({ index, leaf }) => leaf !== null && selected.push(index),
    onDiffering: (index) => differing.push(index),
  });
  for await (const _ of lines);
  return { selected, differing };
};
const download = async (query: string) =>
  test.server.inject({
    method: 'GET',
    url: `/audit/export?${query}`,
    headers: { authorization: `Bearer ${await test.token('ada')}` },
  });
/** The code that a download of this selection is refused with; null where it is given. */
const refusal = async (query: string): Promise<string | null> => {
  const { statusCode, body } = await download(query);
  return statusCode === 307 ? null : JSON.parse(body).errors[0].extensions.code;
};
const report = () => minimisationReport(test.app.database, at(10), at(12));
const rowsAt = (hour: number) =>
  test.app.database.query<{ id: string }>('SELECT id FROM audit_event WHERE at = ?', [at(hour).getTime()]);

beforeAll(async () => {
  ({ test } = await startSample());
  for (const hour of hours) {
    test.clock.forward(at(hour).getTime() - test.clock.now().getTime());
    for (const who of ['ana', 'ben']) await test.as(who, context);
    await turn();
  }
  const [row] = await test.app.database.query<{ customer_id: string }>('SELECT customer_id FROM assistance LIMIT 1');
  customerId = row?.customer_id ?? '';
});
afterAll(() => test.stop());

describe('an export about a customer', () => {
  it('has what the leaves say, whatever was taken from the rows or added to them, and says which differ', async () => {
    const before = await exported();
    expect(before.differing).toEqual([]);
    expect(before.selected.length).toBeGreaterThan(2);
    const events = await test.app.database.query<{ event_id: string }>(
      'SELECT event_id FROM audit_customer WHERE customer_id = ?',
      [customerId],
    );
    await sql('DELETE FROM audit_customer WHERE customer_id = ?', [customerId]);
    expect(await exported()).toEqual({ selected: before.selected, differing: before.selected });
    const [first] = await test.app.database.query<{ event_id: string }>('SELECT event_id FROM audit_leaf WHERE leaf_index = 0');
    await sql('INSERT INTO audit_customer (event_id, customer_id) VALUES (?, ?)', [first?.event_id, customerId]);
    expect(await exported()).toEqual({ selected: before.selected, differing: [0, ...before.selected] });
    await sql('DELETE FROM audit_customer WHERE event_id = ?', [first?.event_id]);
    for (const { event_id: id } of events)
      await sql('INSERT INTO audit_customer (event_id, customer_id) VALUES (?, ?)', [id, customerId]);
    expect(await exported()).toEqual(before);
  });

  it('is refused where a leaf isn’t what its hash says, or nobody can be recognized any more', async () => {
    const [index] = (await exported()).selected;
    const [row] = await test.app.database.query<{ id: string; leaf: Buffer }>(
      'SELECT e.id, e.leaf FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id WHERE l.leaf_index = ?',
      [index],
    );
    const emptied = Buffer.from(String(row?.leaf).replace(/"customers":\[[^\]]*\]/, '"customers":[]'), 'utf8');
    await sql('UPDATE audit_event SET leaf = ? WHERE id = ?', [emptied, row?.id]);
    await expect(exported()).rejects.toMatchObject({ finding: 'ALTERED' });
    await sql('UPDATE audit_event SET leaf = ? WHERE id = ?', [row?.leaf, row?.id]);

    const [key] = await test.app.database.query<{ wrapped: Buffer }>('SELECT wrapped FROM privacy_customer_key WHERE owner = ?', [
      customerId,
    ]);
    await sql('UPDATE privacy_customer_key SET wrapped = NULL WHERE owner = ?', [customerId]);
    expect(await refusal(`customer=${customerId}`)).toBe('CONFLICT');
    await sql('UPDATE privacy_customer_key SET wrapped = ? WHERE owner = ?', [key?.wrapped, customerId]);
    expect(await refusal(`customer=${customerId}`)).toBeNull();
  });
});

describe('an export that names an anchor', () => {
  it('is no other export where what the anchor took isn’t stored any more', async () => {
    const { database, config } = test.app;
    const exports = new AuditExports(database, new Checkpoints(database, config.audit.origin));
    const plan = await exports.plan({ from: null, before: null, customerId: null, since: [] });
    const written = async () => {
      for await (const _ of exports.ndjson({ ...plan, anchors: [['archive', 1]] }, null));
    };
    await expect(written()).rejects.toMatchObject({ finding: 'MISSING', message: expect.stringContaining('archive') });
  });
});

describe('a span of time', () => {
  const span = `from=${at(10).toISOString()}&to=${at(12).toISOString()}`;

  it.each([
    ['its first leaves', 10, at(9)],
    ['its last leaves', 11, at(13)],
    ['all of it', 10, at(8)],
  ])('is refused where rows were altered so that it would lack %s', async (_, hour, moved) => {
    expect(await refusal(span)).toBeNull();
    const rows = await rowsAt(hour);
    expect(rows.length).toBeGreaterThan(0);
    for (const { id } of rows) await sql('UPDATE audit_event SET at = ? WHERE id = ?', [moved.getTime(), id]);
    expect(await refusal(span)).toBe('CONFLICT');
    await expect(report()).rejects.toMatchObject({ code: 'CONFLICT' });
    for (const { id } of rows) await sql('UPDATE audit_event SET at = ? WHERE id = ?', [at(hour).getTime(), id]);
    expect(await refusal(span)).toBeNull();
  });

  it('is refused where leaves beside it are gone', async () => {
    const [{ id } = { id: '' }] = (await rowsAt(10)).slice(0, 1);
    const [row] = await test.app.database.query<Record<string, unknown>>('SELECT * FROM audit_event WHERE id = ?', [id]);
    await sql('DELETE FROM audit_event WHERE id = ?', [id]);
    await expect(report()).rejects.toMatchObject({ finding: 'MISSING' });
    await sql(
      `INSERT INTO audit_event (${Object.keys(row ?? {}).join(', ')}) VALUES (${Object.keys(row ?? {})
        .map(() => '?')
        .join(', ')})`,
      Object.values(row ?? {}),
    );
    await report();
  });
});

describe('the policy in force', () => {
  it('is the one that the leaf names, or none', async () => {
    const query = '{ policyInForce(at: "2026-09-01T12:00:00Z") { digest since } }';
    const before = told(await test.as('ada', query));
    expect(before).toEqual({
      data: { policyInForce: { digest: test.app.services.policy.digest, since: expect.any(String) } },
      errors: [],
    });
    for (const [change, undo] of [
      ["UPDATE audit_event SET at = at - 1, subject_id = 'else' WHERE action = 'policy.in-force'", null],
      [
        "UPDATE audit_event SET action = 'policy.in-force', subject_type = 'Policy' WHERE action = 'assistance.begin'",
        "UPDATE audit_event SET action = 'assistance.begin', subject_type = 'Assistance' WHERE action = 'policy.in-force' AND assistance_id IS NOT NULL",
      ],
    ] as const) {
      await sql(change);
      const answer = told(await test.as('ada', query));
      if (undo === null) expect(answer).toEqual(before);
      else {
        expect(answer.errors).toEqual([['policyInForce', 'CONFLICT']]);
        await sql(undo);
      }
    }
  });
});

describe('the minimisation report', () => {
  it('goes by the leaves and not by their columns, nor by the rows of assistances', async () => {
    const before = await report();
    expect(before).toMatchObject({ disclosures: expect.any(Number), leaves: { from: expect.any(Number) } });
    expect(before.disclosures).toBeGreaterThan(1);
    expect(before.lines.some(({ purpose }) => purpose === 'PAYMENT_QUESTION')).toBe(true);
    await sql("UPDATE audit_event SET action = 'log.time', actor_id = 'act_else' WHERE action = 'disclosure'");
    await sql("UPDATE assistance SET purpose = 'OTHER'");
    expect(await report()).toEqual(before);
    await sql("UPDATE assistance SET purpose = 'PAYMENT_QUESTION'");
    await sql("UPDATE audit_event SET action = 'disclosure' WHERE action = 'log.time' AND actor_id = 'act_else'");
    expect(told(await test.as('ada', '{ auditEvents(first: 1) { totalCount } }')).errors).toEqual([]);
  });
});
