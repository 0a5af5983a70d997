// One agent sends fifty operations of each hostile kind at once to a gateway with a heap of 512 MB, over and over. Meanwhile
// another agent works, and has to be answered all the while. What it costs them, the ratio of p99 under attack to p99 in quiet, is
// said and isn't judged: a busy machine would. The hostile requests come from a thread of their own, which measures nothing.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const atOnce = 50;
/** How often each of them sends again. */
const rounds = 3;
const times = (many, each) => Array.from({ length: many }, (_, at) => each(at)).join(' ');
const conditions = ['a', 'b', 'c', 'd', 'e'];

/** Makes one operation of a kind, each time a new one where that is what makes it hostile. */
const kinds = {
  'texts under aliases': () => ({
    query: `{ ticketByReference(source: "demo", reference: "1001") { ${times(45, (n) => `m${n}: messages(first: 100) { nodes { id body channel createdAt } }`)} } }`,
  }),
  'lists within lists': ({ id }) => ({
    query: `{ ticket(id: "${id}") { ${'credentialUpdates { ticket { '.repeat(4)} id ${'} } '.repeat(4)} } }`,
  }),
  'lists among arguments': () => ({
    query: `query($f: TicketFilter) { ${times(40, (n) => `t${n}: tickets(first: 1, filter: $f) { totalCount }`)} }`,
    variables: { f: { status: Array.from({ length: 20_000 }, () => 'OPEN') } },
  }),
  'lists among arguments that are admitted': () => ({
    query: `query($f: TicketFilter) { ${times(40, (n) => `t${n}: tickets(first: 1, filter: $f) { totalCount }`)} }`,
    variables: { f: { status: Array.from({ length: 100 }, () => 'OPEN') } },
  }),
  'one response key': (_, n) => ({ query: `query Q${n} { ${'viewer { id } '.repeat(490)} }` }),
  'one response key that is admitted': (_, n) => ({ query: `query Q${n} { ${'viewer { id } '.repeat(95)} }` }),
  'plans of many conditions': (_, n) => ({
    query: `query P${n}(${conditions.map((v) => `$${v}: Boolean!`).join(',')}) { ${times(35, (i) => `t${i}: tickets(first: 1, filter: { team: "none" }) { nodes { ...F } }`)} }
      fragment F on Ticket { ${conditions.map((v) => `customer @include(if: $${v}) { ...C }`).join(' ')} credentialUpdates { ticket { customer { ...C } } } }
      fragment C on Customer { transactions(first: 1) { nodes { risk { score signals } paymentMethod { token billingAddress { line1 } } } } }`,
    variables: Object.fromEntries(conditions.map((v, j) => [v, Boolean((n >> j) & 1)])),
  }),
  'documents that return to be compiled': (_, n) => ({
    query: `query C${n >> 2} { ${times(45, (i) => `t${i}: transaction(id: "txn_${i}") { ...T }`)} } fragment T on Transaction { id reference status amount { minorUnits currency } risk { band } paymentMethod { id brand } }`,
  }),
  'pages of pages': () => ({
    query: '{ tickets(first: 100) { nodes { id customer { id displayName transactions(first: 100) { nodes { id } } } } } }',
  }),
  'pages under aliases': () => ({
    query: `{ ${times(24, (n) => `t${n}: tickets(first: ${100 - n}) { nodes { id reference subject status channel assignee { displayName } } }`)} }`,
  }),
  'the graph about itself': (_, n) => ({
    query: `query I${n} { __schema { types { ${'fields { type { ofType { '.repeat(4)} name ${'} } } '.repeat(4)} } } }`,
  }),
  'fragments that double': (_, n) => ({
    query: `query D${n} { viewer { ...F0 } } ${times(60, (i) => `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`)} fragment F60 on Viewer { id }`,
  }),
};

/** What the hostile thread is told: where to, as whom, and what. */
const sendHostile = async ({ address, bearer, kind, found, from }) => {
  const codes = {};
  let made = from;
  const one = async () => {
    for (let round = 0; round < rounds; round += 1) {
      made += 1;
      const response = await fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
        body: JSON.stringify(kinds[kind](found, made)),
      });
      const text = await response.text();
      const code = /"code":"(\w+)"/.exec(text.slice(0, 2_000))?.[1] ?? `answered ${response.status}`;
      codes[code] = (codes[code] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return codes;
};

const p99 = (latencies) => latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? 0;

const context = `query Context($reference: String!) { ticketByReference(source: "demo", reference: $reference) {
  id subject status messages(first: 10) { nodes { id body } }
  customer { id displayName paymentMethods { id brand last4 } transactions(first: 20) { nodes { id status amount { minorUnits } } } } } }`;

const judge = async () => {
  const { ask, attack, expectOrdinary, send, sleep, start, ticket, token, url } = await import('./lib.mjs');
  await attack(async () => {
    const gateway = await start({ env: { NODE_OPTIONS: '--max-old-space-size=512', RATE_LIMIT: '1000000' } });
    const [ana, ben] = [await token('ana'), await token('ben')];
    const found = await ticket(ana, '1001', 'id');
    expectOrdinary(found.ticket?.id, 'an agent opens a ticket of hers', found);
    const listed = await ask(ben, '{ tickets(first: 5, filter: { assignedToMe: true }) { nodes { reference } } }');
    const own = listed.data.tickets.nodes.map(({ reference }) => reference);
    expectOrdinary(own.length > 0, 'another one has tickets too', listed);

    /** The other agent works until `isDone`; returns how long each answer took, in milliseconds. */
    const work = async (isDone) => {
      const latencies = [];
      const one = async () => {
        for (let n = 0; !isDone(); n += 1) {
          const began = performance.now();
          const answer = await (await send(ben, context, { reference: own[n % own.length] })).json();
          latencies.push(performance.now() - began);
          if (!answer.data?.ticketByReference) throw new Error(`the other agent was answered ${JSON.stringify(answer)}`);
          await sleep(5);
        }
      };
      await Promise.all(Array.from({ length: 4 }, one));
      return latencies;
    };
    const quietFor = (milliseconds) => {
      const until = performance.now() + milliseconds;
      return work(() => performance.now() > until);
    };

    await quietFor(4_000);
    const quiet = [];
    const worst = [];
    const hostile = new Worker(new URL(import.meta.url));
    for (const [at, kind] of Object.keys(kinds).entries()) {
      quiet.push(...(await quietFor(1_500)));
      let isUnderWay = true;
      const began = performance.now();
      // Rejects where the thread fails.
      const codes = once(hostile, 'message').finally(() => {
        isUnderWay = false;
      });
      hostile.postMessage({ address: url, bearer: ana, kind, found: found.ticket, from: at * atOnce * rounds });
      const [[told] = [], latencies] = await Promise.all([codes, work(() => !isUnderWay)]).catch((error) => {
        if (gateway.hasEnded()) return [];
        throw error;
      });
      if (gateway.hasEnded()) return `the gateway ended at “${kind}”: ${gateway.howItEnded()}`;
      worst.push(...latencies);
      const took = Math.round(performance.now() - began);
      console.log(
        `${kind}: ${took} ms, ${latencies.length} answers to others, p99 ${p99(latencies).toFixed(0)} ms; ${JSON.stringify(told)}`,
      );
    }
    await hostile.terminate();
    const [before, during] = [p99(quiet), p99(worst)];
    console.log(
      `p99 of others in quiet ${before.toFixed(1)} ms (${quiet.length}), under attack ${during.toFixed(1)} ms (${worst.length}): ${(during / before).toFixed(2)} times`,
    );
    return null;
  });
};

if (isMainThread) await judge();
else parentPort.on('message', (told) => sendHostile(told).then((codes) => parentPort.postMessage(codes)));
