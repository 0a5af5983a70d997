import type { SignedInActor } from '../../authz/actor';
import type { Assistance } from '../assistance/assistance.entity';
import type { Assistances } from '../assistance/assistance.service';
import type { CredentialRequests } from '../credentials/request/requests.service';
import type { Ticket } from './ticket.entity';
import { InScope } from './tickets.scope';

/** Never run: what is asserted here is what doesn't compile. */
const refusedByTheCompiler = (
  actor: SignedInActor,
  found: InScope<Ticket>,
  assistance: InScope<Assistance>,
  { assistances, requests }: { assistances: Assistances; requests: CredentialRequests },
) => {
  const asked = { purpose: 'OTHER', reason: 'a long enough reason' } as const;
  const requested = {
    paymentMethodId: 'pm_1',
    kind: 'REMOVE',
    reason: 'a long enough reason',
    idempotencyKey: 'a key of one',
  } as const;
  return [
    assistances.open(found),
    assistances.ask(found, asked),
    requests.request(found, requested),
    // @ts-expect-error: an id is not a ticket within a scope.
    assistances.open('tkt_1'),
    // @ts-expect-error: neither is what looks like one.
    assistances.open({ actor, id: 'tkt_1' }),
    // @ts-expect-error: the same for what is asked for.
    assistances.ask({ actor, id: 'tkt_1' }, asked),
    // @ts-expect-error: and for an update of a payment method.
    requests.request({ actor, id: 'tkt_1' }, requested),
    // @ts-expect-error: a copy with another id isn't one either.
    assistances.open({ ...found, id: 'tkt_2' }),
    // @ts-expect-error: one of something else is none of a ticket.
    assistances.open(assistance),
    // @ts-expect-error: nobody has what it is made with.
    new InScope<Ticket>(Symbol('found within a scope'), actor, 'tkt_1'),
  ];
};

describe('a ticket within an actor’s scope', () => {
  it('is made by the look-up alone, and asked for by whatever is done on a ticket', () => {
    expect(typeof refusedByTheCompiler).toBe('function');
  });
});
