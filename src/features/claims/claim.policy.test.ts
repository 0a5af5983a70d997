import type { SignedInActor } from '../../authz/actor';
import { reasonOf } from '../../authz/rule';
import { claimedTraits } from '../../risk/signal';
import { type ClaimSubject, fieldsBehind, mayRecord } from './claim.policy';

const agent: SignedInActor = {
  kind: 'staff',
  id: 'act_1',
  roles: ['AGENT'],
  teams: ['cards'],
  mfa: true,
  authenticatedAt: null,
  expiresAt: new Date(1_800_000_000_000),
  staffIds: ['stf_1'],
  helpdesks: ['desk'],
};
const ticket: ClaimSubject['ticket'] = {
  id: 'tkt_1',
  status: 'OPEN',
  customerId: 'cus_1',
  isFresh: true,
  team: 'cards',
  teamSetById: null,
  assigneeId: 'stf_1',
  assignedById: null,
  createdById: null,
  customerSetByIds: [],
  knowsActor: true,
};
const subject: ClaimSubject = { ticket, isAssisted: true, isForRole: true, isShown: true };

describe('recording what a customer states', () => {
  it.each<readonly [string, Partial<SignedInActor>, Partial<ClaimSubject>, string]>([
    ['an agent of what they are shown', {}, {}, 'yes'],
    ['a supervisor who has the ticket', { roles: ['SUPERVISOR'] }, {}, 'yes'],
    ['an auditor', { roles: ['AUDITOR'] }, {}, 'ROLE'],
    ['an agent without a second factor', { mfa: false }, {}, 'MFA_REQUIRED'],
    ['an agent who assists on something else', {}, { isAssisted: false }, 'NO_ASSISTANCE'],
    ['an agent who doesn’t have the ticket', { staffIds: ['stf_2'] }, {}, 'NO_ASSISTANCE'],
    ['on a closed ticket', {}, { ticket: { ...ticket, status: 'CLOSED' } }, 'TICKET_CLOSED'],
    ['on one that wasn’t confirmed', {}, { ticket: { ...ticket, isFresh: false } }, 'STALE'],
    ['of what their role is shown of nobody', {}, { isForRole: false, isShown: false }, 'ROLE'],
    ['of what isn’t shown of this customer', {}, { isShown: false }, 'LINK'],
  ])('%s', (_, who, of, expected) => {
    const [actor, about] = [
      { ...agent, ...who },
      { ...subject, ...of },
    ];
    expect(mayRecord(actor, about) ? 'yes' : reasonOf(mayRecord, actor, about)).toBe(expected);
  });

  it('is decided by fields of its own kinds', () => {
    expect(fieldsBehind(['card'])).toEqual([
      'Ticket.customer',
      'Customer.transactions',
      'Transaction.paymentMethod',
      'PaymentMethod.kind',
      'PaymentMethod.last4',
    ]);
    expect(fieldsBehind(claimedTraits)).toEqual(
      expect.arrayContaining(['Refund.amount', 'Order.reference', 'Transaction.createdAt']),
    );
  });
});
