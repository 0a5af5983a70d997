import { readFileSync } from 'node:fs';
import { policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { misfitOf } from '../support/catalogued';
import { approveUpdate, cancelUpdate, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';

/** A leaf's text with what differs from run to run left out: ids, salts, digests, and how much a sync found at once. */
const timeless = (leaf: string): string =>
  leaf
    .replace(/\b([a-z]{2,3})_[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1_…')
    .replace(/"(salt|shown|plan|policy|key)":"[^"]+"/g, '"$1":"…"')
    .replace(/"opn_[a-z2-7]{32}"/g, '"opn_…"')
    .replace(/("customers":\[|"(?:after|before|reason|country)":)"[\w.-]{43,}"/g, '$1"…"')
    .replace(/"id":"[^"]+","type":"(Policy|LogKey)"/, '"id":"…","type":"$1"')
    .replace(/"(customers|tickets|VERIFIED|MATCHED|NONE)":\d+/g, '"$1":0');

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
      expect((await test.events()).map(misfitOf).filter((misfit) => misfit !== null)).toEqual([]);
      const rows = await test.app.database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event');
      expect([...new Set(rows.map(({ leaf }) => timeless(leaf.toString('utf8'))))].sort()).toEqual(
        readFileSync('test/api/event-leaves.ndjson', 'utf8').trimEnd().split('\n'),
      );
    } finally {
      await test.stop();
    }
  });
});
