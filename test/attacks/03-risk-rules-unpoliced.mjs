// What is derived from policed fields is told without second factor, assistance or record: `CredentialUpdate.riskRules` names
// link, dispute and contact changes.
import { ask, attack, expectOrdinary, openSqlite, sleep, start, ticket, token } from './lib.mjs';

await attack(async () => {
  const { data } = await start();
  const ana = await token('ana');
  const risky = [];
  for (const reference of ['1002', '1010', '1011']) {
    const { ticket: opened } = await ticket(ana, reference, 'id customer { paymentMethods { id isDefault status } }');
    const methods = opened?.customer?.paymentMethods ?? [];
    const method = methods.find(({ status, isDefault }) => status === 'ACTIVE' && !isDefault) ?? methods[0];
    if (!method) continue;
    const made = await ask(
      ana,
      'mutation($i: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $i) { id riskRules } }',
      {
        i: {
          ticketId: opened.id,
          paymentMethodId: method.id,
          kind: 'BILLING_ADDRESS',
          reason: 'The customer asked for it by phone',
          idempotencyKey: `attack-${reference}-1`,
        },
      },
    );
    risky.push(...(made.data?.requestCredentialUpdate.riskRules ?? []));
  }
  expectOrdinary(risky.length > 0, `whoever may see it is told which rules an update meets: ${[...new Set(risky)].join()}`);

  await sleep(1_500);
  const disclosures = () => {
    const db = openSqlite(data, { readonly: true });
    const { n } = db.prepare("SELECT COUNT(*) AS n FROM audit_event WHERE action = 'disclosure'").get();
    db.close();
    return n;
  };
  const sam = await token('sam', { mfa: false });
  const before = disclosures();
  const policed = await ask(sam, '{ tickets(first: 100) { nodes { customer { link } } } }');
  const reasons = new Set((policed.errors ?? []).map(({ extensions }) => extensions.reason));
  expectOrdinary(reasons.has('MFA_REQUIRED'), 'without a second factor the link isn’t told', policed);

  const told = await ask(sam, '{ credentialUpdates(first: 20) { nodes { id riskRules failure needsCode history { reason } } } }');
  const rows = told.data?.credentialUpdates?.nodes ?? [];
  expectOrdinary(rows.length > 0, 'updates are listed to her', told);
  const rules = new Set(rows.flatMap(({ riskRules }) => riskRules ?? []));
  if (rules.size > 0)
    return `${[...rules].join()} are told without a second factor; disclosures recorded by it: ${disclosures() - before}`;
  const derived = rows.some(({ failure, needsCode }) => failure !== null || needsCode !== null);
  return derived ? 'what an update failed of, or whether it needs a code, is told without a second factor' : null;
});
