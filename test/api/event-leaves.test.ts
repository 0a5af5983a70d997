import { readFileSync } from 'node:fs';
import { citedPlan } from '../../src/audit/access-plan';
import { type CanonicalValue, canonicalize } from '../../src/audit/canonical';
import { catalogue, type EventName } from '../../src/audit/events';
import { readLeaf } from '../../src/audit/leaf';
import { fieldsOf } from '../../src/features/audit/disclosed-fields';
import { policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { misfitOf } from '../support/catalogued';
import { approveUpdate, cancelUpdate, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';

/** A leaf's text with what differs from run to run left out: ids, salts, digests, and how much a sync found at once. */
const timeless = (leaf: string): string =>
  leaf
    .replace(/\b([a-z]{2,3})_[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1_…')
    .replace(/"(salt|shown|plan|policy|key|identity|entry|token)":"[^"]+"/g, '"$1":"…"')
    .replace(/"operation":"[0-9a-f]{64}"/, '"operation":"…"')
    .replace(/"opn_[a-z2-7]{32}"/g, '"opn_…"')
    .replace(/("customers":\[|"(?:after|before|reason|country)":)"[\w.-]{43,}"/g, '$1"…"')
    .replace(/"id":"[^"]+","type":"(Policy|LogKey|AccessPlan|Rules)"/, '"id":"…","type":"$1"')
    .replace(/"(bytes|customers|tickets|VERIFIED|MATCHED|NONE)":\d+/g, '"$1":0');

/** A leaf as it was before events of its kind stated all that they state now; the same where they always did. */
const before = (leaf: string): string => {
  const { detail, ...rest } = JSON.parse(leaf) as { action: EventName; detail: Record<string, unknown> };
  const kind = catalogue[rest.action] as { readonly detail?: object };
  const facts: Record<string, { readonly isLater?: true }> = Object.assign({}, ...[kind.detail ?? {}].flat());
  return canonicalize({
    ...rest,
    detail: Object.fromEntries(Object.entries(detail).filter(([name]) => !facts[name]?.isLater)),
  } as CanonicalValue);
};

const storedForms = readFileSync('test/api/event-leaves.ndjson', 'utf8').trimEnd().split('\n');
/** Disclosures from before plans had leaves of their own: they are read, and not written any more. */
const isFormer = (leaf: string): boolean => leaf.startsWith('{"action":"disclosure",') && leaf.endsWith(',"v":1}');

describe('the leaves of events', () => {
  it('have the bytes that leaves of their kind have always had', async () => {
    const issuer = await OtherIssuer.open();
    const test = await TestApp.start({
      config: { issuers: [issuer.configuration] },
      policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50']),
    });
    try {
      const updates = new Updates(test);
      const of = await updates.next({ methods: 1, subscribed: false });
      const cancelled = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
      await test.as('ana', cancelUpdate, { id: cancelled.id });
      const removal = await updates.asked(of, of.usual, 'REMOVE');
      await updates.confirm(removal.token);
      await test.as('ana', approveUpdate, { id: removal.id });
      const token = await issuer.token('sam', { roles: ['AGENT', 'SUPERVISOR'], teams: ['cards'] }, test.clock.now());
      await test.as({ token }, approveUpdate, { id: removal.id });
      await updates.drain();
      // Of a service no token says what it is called.
      await test.as('pip', '{ viewer { id } }');
      expect((await test.events()).map(misfitOf).filter((misfit) => misfit !== null)).toEqual([]);
      const rows = await test.app.database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event');
      const leaves = rows.map(({ leaf }) => leaf.toString('utf8'));
      expect([...new Set([...leaves, ...leaves.map(before)].map(timeless))].sort()).toEqual(
        storedForms.filter((form) => !isFormer(form)),
      );
      // Those from before stay what the catalogue has: a log keeps its leaves.
      expect(leaves.map((leaf) => misfitOf(JSON.parse(before(leaf)))).filter((misfit) => misfit !== null)).toEqual([]);
    } finally {
      await test.stop();
    }
  });
});

describe('the leaf of a disclosure from before plans had leaves of their own', () => {
  const forms = storedForms.filter(isFormer);

  it.each(forms)('is still what it says itself: %#', (form) => {
    const leaf = readLeaf(form);
    const noPlan = () => {
      throw new Error('it names no plan of the log');
    };
    expect(fieldsOf(leaf, noPlan)).toEqual(
      (leaf.detail.fields as [string, string, number][]).map(([field, verdict, count]) => ({ field, verdict, count })),
    );
    expect(citedPlan(leaf)).toBeUndefined();
  });

  it('is among those that are kept here', () => expect(forms).toHaveLength(2));
});
