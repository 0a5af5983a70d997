// Card numbers and security codes are never stored, from whichever side they come: a customer's message with number, code and
// expiry, and a reason with a code.
import { ask, attack, expectOrdinary, sleep, startHere, ticket, token } from './lib.mjs';

const text =
  'My new card is 4242 4242 4242 4242, valid until 12/29, the security code on the back is 123. CVV: 987. The old one is lost.';

await attack(async () => {
  const gateway = await startHere();
  const { connector } = gateway.app.sources.helpdesk('demo');
  connector.change('1001', [], () => ({}));
  const snapshot = connector.snapshot.bind(connector);
  const message = {
    reference: 'm-attack',
    author: { kind: 'CUSTOMER', displayName: null },
    channel: 'EMAIL',
    body: text,
    createdAt: new Date(),
  };
  connector.snapshot = (reference, asOf) => {
    const found = snapshot(reference, asOf);
    return found && reference === '1001' ? { ...found, messages: [...found.messages, message] } : found;
  };
  await sleep(11_000);
  const ana = await token('ana');
  const seen = await ticket(ana, '1001', 'messages(first: 100) { nodes { body } }');
  const body = seen.ticket?.messages.nodes.map((node) => node.body).find((each) => each?.includes('My new card')) ?? '';
  expectOrdinary(body.includes('The old one is lost.'), 'the customer’s text arrives', seen);
  expectOrdinary(!body.includes('4242 4242'), 'the number in it is removed', body);
  console.log(`stored and shown: ${body}`);

  const { ticket: other } = await ticket(ana, '1004', 'id');
  const begin = (reason) =>
    ask(ana, 'mutation($i: BeginAssistanceInput!) { beginAssistance(input: $i) { state reason } }', {
      i: { ticketId: other.id, purpose: 'OTHER', reason },
    });
  const withCode = await begin('Card expires 12/29 and the CVV is 987');
  console.log(`as a reason: ${JSON.stringify(withCode.data ?? withCode.errors)}`);
  const plain = await begin('The customer called about the second parcel');
  expectOrdinary(plain.data?.beginAssistance?.state, 'a reason without card data is taken', plain);
  const weak = [
    ...(/123|987/.test(body) ? ['a security code in a message is stored and shown'] : []),
    ...(body.includes('12/29') ? ['an expiry in a message is stored and shown'] : []),
    ...(withCode.data?.beginAssistance ? ['a security code is taken as the reason of an assistance'] : []),
  ];
  return weak.length > 0 ? weak.join('; ') : null;
});
