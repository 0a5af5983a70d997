// Cost that counts fields, not what is in them: a ticket with 100 long mails, asked for under 45 aliases within every limit, is
// one answer of hundreds of megabytes, made in memory.
import { attack, expectOrdinary, send, sleep, startHere, ticket, token } from './lib.mjs';

/** Megabytes; far above what one answer may have. */
const mostAnswer = 50;
const long = 'A customer writes long mails. '.repeat(1_900);
const megabytes = (bytes) => Math.round(bytes / 1e6);

await attack(async () => {
  const gateway = await startHere();
  const { connector } = gateway.app.sources.helpdesk('demo');
  connector.change('1001', [], () => ({}));
  const snapshot = connector.snapshot.bind(connector);
  connector.snapshot = (reference, asOf) => {
    const found = snapshot(reference, asOf);
    if (!found || reference !== '1001') return found;
    const messages = Array.from({ length: 100 }, (_, index) => ({
      reference: `m-${index}`,
      author: { kind: 'CUSTOMER', displayName: null },
      channel: 'EMAIL',
      body: long,
      createdAt: new Date(Date.now() - index * 1_000),
    }));
    return { ...found, messages };
  };
  await sleep(12_000);
  const ana = await token('ana');
  const once = await ticket(ana, '1001', 'messages(first: 30) { nodes { body } }');
  const longest = Math.max(...(once.ticket?.messages.nodes ?? []).map(({ body }) => body?.length ?? 0));
  expectOrdinary(longest > 50_000, `long mails are shown, of up to ${longest} characters`, once.errors);

  const aliases = Array.from({ length: 45 }, (_, index) => `m${index}: messages(first: 100) { nodes { body } }`);
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  let bytes = 0;
  const response = await send(ana, `{ ticketByReference(source: "demo", reference: "1001") { ${aliases.join(' ')} } }`);
  for await (const chunk of response.body) bytes += chunk.length;
  clearInterval(watch);
  const said = `answered with ${megabytes(bytes)} MB; memory grew by ${megabytes(peak - before)} MB`;
  console.log(said);
  return megabytes(bytes) > mostAnswer ? `a request of 2 KB is ${said}` : null;
});
