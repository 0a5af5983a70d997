// Whoever writes the database takes "who was shown what about this customer" out of every answer: the rows that answers go by
// stand beside the leaves, and neither doctor nor verify holds them against each other.
import { join } from 'node:path';
import { ask, attack, counterfoil, expectOrdinary, folder, openSqlite, sleep, start, ticket, token } from './lib.mjs';

const query =
  'query($c: ID!) { disclosures(customerId: $c) { totalCount } auditEvents(filter: { customerId: $c }) { totalCount } }';

await attack(async () => {
  const gateway = await start();
  const [ana, ada] = [await token('ana'), await token('ada')];
  const { ticket: own } = await ticket(ana, '1001', 'id customer { id displayName paymentMethods { last4 } }');
  const customer = own.customer.id;
  const { ticket: others } = await ticket(ana, '1004', 'id');
  await ask(ana, 'mutation($i: BeginAssistanceInput!) { beginAssistance(input: $i) { id } }', {
    i: { ticketId: others.id, purpose: 'OTHER', reason: 'The reason that an auditor will ask for' },
  });
  await sleep(2_500);
  const before = (await ask(ada, query, { c: customer })).data;
  expectOrdinary(before.disclosures.totalCount > 0, 'an auditor sees who was shown what of a customer', before);
  await gateway.stop();
  const sound = await counterfoil(['doctor', '--no-sources'], gateway.environment);
  expectOrdinary(sound.code === 0, 'doctor finds nothing wrong with a database that nobody touched', sound);

  const db = openSqlite(gateway.data);
  const gone = db.prepare('DELETE FROM audit_customer WHERE customer_id = ?').run(customer).changes;
  for (const table of ['audit_note', 'audit_ticket']) db.prepare(`DELETE FROM ${table}`).run();
  // And what somebody else was shown becomes this customer's.
  const ascribed = db
    .prepare(
      `INSERT OR IGNORE INTO audit_customer (event_id, customer_id)
       SELECT event_id, (SELECT customer_id FROM audit_customer LIMIT 1) FROM audit_leaf ORDER BY leaf_index LIMIT 3`,
    )
    .run().changes;
  db.close();
  const doctor = await counterfoil(['doctor', '--no-sources'], gateway.environment);
  const key = (await counterfoil(['audit', 'key'], gateway.environment)).said.trim().split('\n').pop();
  const file = join(folder, 'export.ndjson');
  const exported = await counterfoil(['audit', 'export', '--customer', customer, '--out', file], gateway.environment);
  const verified = await counterfoil(['audit', 'verify', file, '--key', key], gateway.environment);
  console.log(`${gone} rows of the customer deleted, ${ascribed} ascribed to another; doctor ${doctor.code}:\n${doctor.said}`);
  console.log(`export ${exported.code}, verify ${verified.code}`);
  expectOrdinary(gone > 0, 'there were rows to delete');
  return doctor.code === 0
    ? `a customer’s ${before.disclosures.totalCount} disclosures are gone from every answer, and doctor says that all is what was signed`
    : null;
});
