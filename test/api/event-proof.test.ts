import type { Inclusion } from '../../console/verifier/steps';
import { formatVerifierKey, verifierKeyOf } from '../../src/audit/note';
import { signersOf } from '../../src/ledger/checkpoints';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { told } from '../support/answers';
import type { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { standalone } from '../support/both-verifiers';
import { sampleTicket, startSample } from '../support/sample';

const event = `query ($filter: AuditEventFilter) { auditEvents(filter: $filter, first: 1) { nodes {
  id at action outcome actor { id kind roles } ticketId assistanceId subject { type id } leafIndex leafHash
} } }`;
const inclusion =
  'query ($id: ID!) { auditInclusionProof(eventId: $id) { leafIndex leafHash treeSize path rootHash checkpoint { note } } }';
const consistency = 'query ($from: SafeInt!, $to: SafeInt!) { auditConsistencyProof(from: $from, to: $to) { path } }';

describe('what an auditor is answered', () => {
  let test: TestApp;
  let kept: { readonly note: string; readonly treeSize: number };
  const turn = () => test.app.signingLog?.sequencer.turn();
  const checkpoint = async () =>
    told(await test.as('ada', '{ auditCheckpoint { note treeSize } }')).data.auditCheckpoint as typeof kept;
  const asked = async (query: string, variables: Record<string, unknown>) => {
    const { data, errors } = told(await test.as('ada', query, variables));
    expect(errors).toEqual([]);
    return data;
  };
  const key = (): string => {
    const { origin, signingKey } = test.app.config.audit;
    const [signer] = signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey));
    if (!signer) throw new Error('nobody signs');
    return formatVerifierKey(verifierKeyOf(signer));
  };
  /** The log of one millisecond, as a download. */
  const exportAt = async (at: string): Promise<Uint8Array> => {
    const headers = { authorization: `Bearer ${await test.token('ada')}` };
    const until = new Date(Date.parse(at) + 1).toISOString();
    const { headers: led } = await test.server.inject({
      method: 'GET',
      url: `/audit/export?from=${at}&to=${until}`,
      headers,
    });
    return (await test.server.inject({ method: 'GET', url: String(led.location), headers })).rawPayload;
  };
  /** All that a page asks for about the first disclosure. */
  const answers = async (): Promise<Inclusion> => {
    const [node] = (await asked(event, { filter: { action: 'disclosure' } })).auditEvents.nodes;
    const { checkpoint: signed, ...proof } = (await asked(inclusion, { id: node.id })).auditInclusionProof;
    return {
      told: node,
      exported: await exportAt(node.at),
      proof: { ...proof, note: signed.note },
      anchors: [],
      keys: { own: key(), offered: [], witnesses: '' },
    };
  };

  beforeAll(async () => {
    ({ test } = await startSample());
    const context = `{ ticketByReference(source: "demo", reference: "${sampleTicket}") { customer { displayName email } } }`;
    expect(told(await test.as('ana', context)).errors).toEqual([]);
    await turn();
    kept = await checkpoint();
    test.clock.forward(61_000);
    await test.as('ana', context);
    await turn();
  });
  afterAll(() => test.stop());

  it('proves an event by itself: its text, its place and who signed that, without asking again', async () => {
    const given = await answers();
    const { verdict, failedAt, steps } = await standalone().proveInclusion(given);
    expect([verdict, failedAt]).toEqual(['PROVEN', null]);
    expect(JSON.parse(steps.leaf.text ?? '')).toMatchObject({ id: given.told.id, action: 'disclosure' });
    expect(steps.hash.computed).toBe(given.told.leafHash);
    expect(steps.signature).toMatchObject({ why: 'BY_OWN_KEY' });
  });

  it('proves that the log goes on from a checkpoint that was kept', async () => {
    const current = await checkpoint();
    expect(current.treeSize).toBeGreaterThan(kept.treeSize);
    const { path } = (await asked(consistency, { from: kept.treeSize, to: current.treeSize })).auditConsistencyProof;
    const keys = { own: key(), offered: [], witnesses: '' };
    const proven = await standalone().proveContinuation({ kept: kept.note, current: current.note, path, keys });
    expect([proven.verdict, proven.failedAt]).toEqual(['PROVEN', null]);
  });

  it('proves nothing once the stored event is another one: the page that shows it is caught', async () => {
    const { told: node } = await answers();
    const [{ leaf } = { leaf: Buffer.alloc(0) }] = await test.app.database.query<{ leaf: Buffer }>(
      'SELECT leaf FROM audit_event WHERE id = ?',
      [node.id],
    );
    const altered = Buffer.from(leaf.toString('utf8').replace('"AGENT"', '"ADMIN"'));
    expect(altered.equals(leaf)).toBe(false);
    const whole = await answers();
    await tamper(test.app.database, 'UPDATE audit_event SET leaf = ? WHERE id = ?', [altered, node.id]);
    const [other] = (await asked(event, { filter: { id: node.id } })).auditEvents.nodes;
    await tamper(test.app.database, 'UPDATE audit_event SET leaf = ? WHERE id = ?', [leaf, node.id]);
    expect(other.actor.roles).toEqual(['ADMIN']);
    // Told otherwise than the leaf that was signed, and with a leaf to go with it: either way it shows.
    expect(await standalone().proveInclusion({ ...whole, told: other })).toMatchObject({
      verdict: 'NOT_PROVEN',
      failedAt: 'event',
    });
    const exported = Buffer.from(
      Buffer.from(whole.exported).toString('utf8').replace(leaf.toString('utf8'), altered.toString('utf8')),
    );
    expect(await standalone().proveInclusion({ ...whole, told: other, exported })).toMatchObject({
      verdict: 'NOT_PROVEN',
      failedAt: 'hash',
    });
  });
});
