// A document of 2 KB keeps ten megabytes: its compiled code, and how to restore its answers for each set of conditions. A cache
// that is bounded by number fills the heap.
import { ask, attack, expectOrdinary, start, ticket, token } from './lib.mjs';

const documents = 90;
const conditions = ['a', 'b', 'c', 'd', 'e'];
const combinations = 2 ** conditions.length;

const lists = Array.from(
  { length: 45 },
  (_, index) => `t${index}:tickets(first:1,filter:{assignedToMe:true,source:"demo",team:"none"}){nodes{...F}}`,
);
const document = (number) =>
  `query P${number}(${conditions.map((name) => `$${name}:Boolean!`).join()}){${lists.join(' ')}}
   fragment F on Ticket{
     ${conditions.map((name) => `customer @include(if:$${name}){...C}`).join(' ')}
     credentialUpdates{paymentMethod{token} ticket{customer{...C}}}
   }
   fragment C on Customer{
     transactions(first:1){nodes{risk{score signals band} paymentMethod{token billingAddress{line1}}}}
   }`;
const variables = (combination) => Object.fromEntries(conditions.map((name, bit) => [name, Boolean((combination >> bit) & 1)]));

await attack(async () => {
  const gateway = await start({ env: { NODE_OPTIONS: '--max-old-space-size=384', RATE_LIMIT: '1000000' } });
  const ana = await token('ana');
  const small = await ticket(ana, '1001', 'customer { transactions(first: 1) { nodes { risk { band } } } }');
  expectOrdinary(small.ticket?.customer, 'an ordinary document is answered', small);

  let sent = 0;
  let firstError = null;
  for (let number = 0; number < documents && !gateway.hasEnded(); number += 1)
    for (let combination = 0; combination < combinations; combination += 1) {
      const answer = await ask(ana, document(number), variables(combination)).catch(() => null);
      if (answer === null) break;
      sent += 1;
      firstError ??= answer.errors?.[0] ?? null;
    }
  console.log(`${sent} requests; the first error: ${JSON.stringify(firstError)}`);
  if (gateway.hasEnded())
    return `the gateway ended (${gateway.howItEnded()}) after ${sent} requests: ${/FATAL ERROR[^\n]*/.exec(gateway.log())?.[0]}`;
  const still = await ticket(ana, '1001', 'id');
  expectOrdinary(still.ticket?.id, 'it still answers', still);
  return null;
});
