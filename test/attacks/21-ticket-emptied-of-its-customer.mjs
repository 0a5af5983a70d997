// A ticket about nobody is read by whom it is assigned to. So an agent takes a ticket of another team, takes its customer away
// and reads the conversation, without an assistance.
import { attack, expectOrdinary, sleep, startHere, ticket, token } from './lib.mjs';

const selection = 'id subject team customer { id } assistance { state } messages(first: 2) { nodes { body } }';

await attack(async () => {
  const gateway = await startHere();
  const { connector } = gateway.app.sources.helpdesk('demo');
  const settled = () => sleep(11_500);
  const ana = await token('ana');
  const own = await ticket(ana, '1001', selection);
  expectOrdinary(own.ticket?.messages?.nodes.length > 0, 'an agent reads what is said in a ticket of hers', own);
  const before = await ticket(ana, '1012', selection);
  expectOrdinary(!before.ticket?.messages, 'she doesn’t read that of another team', before);

  connector.reassign('1012', 'ana', 'ana');
  await settled();
  console.log('taken by herself:', JSON.stringify(await ticket(ana, '1012', selection)));
  connector.setCustomer('1012', null, 'ana');
  await settled();
  const { ticket: seen, errors } = await ticket(ana, '1012', selection);
  console.log('its customer taken away by herself:', JSON.stringify({ seen, errors }));
  return seen?.messages?.nodes.length > 0 && seen.assistance === null
    ? 'a customer’s conversation is read without an assistance, on a ticket that the agent took and emptied of its customer herself'
    : null;
});
