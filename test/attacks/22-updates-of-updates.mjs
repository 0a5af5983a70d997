// A list without `first` that is taken for ten and may be longer: four levels of ticket and its updates pass as 10^4 fields and
// are 50^4 objects.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, attack, checkout, expectOrdinary, folder, send, sleep, start, ticket, token } from './lib.mjs';

const updates = 50;
/** Megabytes. */
const mostAnswer = 20;
const nested = (levels) => (levels === 0 ? 'id' : `credentialUpdates { ticket { ${nested(levels - 1)} } }`);

await attack(async () => {
  // Within a day's quota it would take an agent ten days.
  const policy = readFileSync(join(checkout, 'schema/exposure.yaml'), 'utf8');
  writeFileSync(join(folder, 'policy.yaml'), policy.replace('perCustomerPerDay: 5', 'perCustomerPerDay: 1000'));
  const gateway = await start({
    env: { POLICY_FILE: join(folder, 'policy.yaml'), NODE_OPTIONS: '--max-old-space-size=1024', RATE_LIMIT: '10000' },
  });
  const ana = await token('ana');
  const { ticket: own } = await ticket(ana, '1001', 'id customer { paymentMethods { id } }');
  for (let index = 0; index < updates; index += 1) {
    const made = await ask(ana, 'mutation($i: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $i) { id } }', {
      i: {
        ticketId: own.id,
        paymentMethodId: own.customer.paymentMethods[0].id,
        kind: 'BILLING_ADDRESS',
        reason: 'The customer asked for it by phone',
        idempotencyKey: `attack-many-${index}`,
      },
    });
    const id = made.data?.requestCredentialUpdate.id;
    if (id === undefined) expectOrdinary(false, `update ${index} is made`, made);
    await ask(ana, 'mutation($id: ID!) { cancelCredentialUpdate(id: $id) { state } }', { id });
  }
  const once = await ticket(ana, '1001', nested(1));
  expectOrdinary(once.ticket?.credentialUpdates?.length > 0, 'a ticket’s updates are listed', once);

  for (const levels of [2, 3, 4]) {
    const began = performance.now();
    let bytes = 0;
    let lost = null;
    try {
      const answer = await send(
        ana,
        `{ ticket(id: "${own.id}") { ${nested(levels)} } }`,
        {},
        { signal: AbortSignal.timeout(90_000) },
      );
      for await (const chunk of answer.body) bytes += chunk.length;
    } catch (error) {
      lost = error;
    }
    if (lost) await sleep(4_000);
    const milliseconds = Math.round(performance.now() - began);
    console.log(`${levels} levels: ${(bytes / 1e6).toFixed(1)} MB in ${milliseconds} ms${lost ? `, ${lost.cause ?? lost}` : ''}`);
    if (gateway.hasEnded() || lost) return `${levels} levels end the gateway: ${gateway.howItEnded() ?? lost}`;
    if (bytes > mostAnswer * 1e6) return `${levels} levels are ${Math.round(bytes / 1e6)} MB`;
  }
  return null;
});
