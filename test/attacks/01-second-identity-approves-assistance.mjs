// Somebody with two subjects at the identity provider asks for an assistance on a ticket of their own making, and approves it
// with the other.
import { ask, attack, expectOrdinary, identityProvider, start, ticket } from './lib.mjs';

await attack(async () => {
  const { yaml, sign } = await identityProvider();
  await start({ config: yaml });
  const agent = await sign('ana', { roles: ['AGENT'], teams: ['cards'] });
  const sheAgain = await sign('ana-lead', { roles: ['SUPERVISOR'], teams: ['cards'], preferred_username: 'ana' });
  const another = await sign('sam', { roles: ['SUPERVISOR'], teams: ['cards', 'wallets'] });
  const approve = (bearer, id) => ask(bearer, 'mutation($id: ID!) { approveAssistance(id: $id) { state } }', { id });

  const opened = await ticket(agent, '1004', 'id');
  const asked = await ask(agent, 'mutation($i: BeginAssistanceInput!) { beginAssistance(input: $i) { id state } }', {
    i: { ticketId: opened.ticket?.id, purpose: 'OTHER', reason: 'I would like to look at this person' },
  });
  const id = asked.data?.beginAssistance.id;
  expectOrdinary(asked.data?.beginAssistance.state === 'WAITING', 'an assistance on her own ticket waits for an approval', asked);

  const byHerself = await approve(sheAgain, id);
  if (byHerself.data?.approveAssistance?.state === 'LIVE')
    return 'an assistance is approved by the person who asked for it, under another subject with the same staff row';
  const bySomebodyElse = await approve(another, id);
  expectOrdinary(bySomebodyElse.data?.approveAssistance?.state === 'LIVE', 'another supervisor approves it', bySomebodyElse);
  return null;
});
