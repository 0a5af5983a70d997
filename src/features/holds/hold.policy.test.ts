import type { SignedInActor } from '../../authz/actor';
import { type Action, reasonOf } from '../../authz/rule';
import { type HoldSubject, holdActions, type PlaceSubject } from './hold.policy';
import { type HoldCause, holdCauses } from './hold.states';

const at = new Date(1_800_000_000_000);
const person: SignedInActor = {
  kind: 'staff',
  id: 'act_1',
  roles: ['AGENT'],
  teams: ['cards'],
  mfa: true,
  authenticatedAt: at,
  expiresAt: new Date(at.getTime() + 900_000),
  staffIds: ['stf_1'],
  helpdesks: ['desk'],
};
const supervisor: SignedInActor = { ...person, id: 'act_2', roles: ['SUPERVISOR'], staffIds: ['stf_2'] };
const people = {
  agent: person,
  supervisor,
  'another team’s supervisor': { ...supervisor, id: 'act_3', staffIds: ['stf_3'], teams: ['wallets'] },
  'supervisor without a second factor': { ...supervisor, mfa: false },
  'supervisor of an old session': { ...supervisor, authenticatedAt: new Date(at.getTime() - 16 * 60_000) },
  auditor: { ...supervisor, id: 'act_4', roles: ['AUDITOR'] },
} as const satisfies Record<string, SignedInActor>;
type Who = keyof typeof people;

const ticket: PlaceSubject['ticket'] = {
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
const subject: HoldSubject = {
  ticketId: 'tkt_1',
  cause: 'RULE',
  ticket,
  isAssisted: false,
  requester: null,
  knowsRequester: false,
  knowsActor: true,
  hadTicket: false,
  at,
};
const answer = <S>({ rule }: Action<S>, who: Who, of: S): string => {
  const actor = people[who];
  return rule(actor, of) ? 'yes' : reasonOf(rule, actor, of);
};
const answers = <S>(of: Action<S>, about: S): string =>
  (Object.keys(people) as Who[]).map((who) => answer(of, who, about)).join(' ');

describe('placing a hold', () => {
  const about: PlaceSubject = { ticket, isAssisted: true, isGroup: false };
  it.each<[string, Partial<PlaceSubject>, string]>([
    ['with the ticket, under an assistance', {}, 'yes yes yes MFA_REQUIRED yes ROLE'],
    ['without an assistance', { isAssisted: false }, 'NO_ASSISTANCE NO_ASSISTANCE NO_ASSISTANCE MFA_REQUIRED NO_ASSISTANCE ROLE'],
    ['on a colleague’s ticket', { ticket: { ...ticket, assigneeId: 'stf_9' } }, 'NO_ASSISTANCE yes yes MFA_REQUIRED yes ROLE'],
    ['of a group', { isGroup: true }, 'ROLE yes yes MFA_REQUIRED yes ROLE'],
    [
      'on a closed ticket',
      { ticket: { ...ticket, status: 'RESOLVED' } },
      'TICKET_CLOSED TICKET_CLOSED TICKET_CLOSED MFA_REQUIRED TICKET_CLOSED ROLE',
    ],
    [
      'on a ticket that may not be theirs any more',
      { ticket: { ...ticket, isFresh: false } },
      'STALE STALE STALE MFA_REQUIRED STALE ROLE',
    ],
  ])('%s', (_, given, expected) => {
    expect(answers(holdActions.place, { ...about, ...given })).toBe(expected);
  });
});

describe('deciding about a proposal', () => {
  const byThem = { actorId: 'act_2', staffIds: ['stf_2'] };
  it.each<[string, Partial<HoldSubject>, string]>([
    ['of a rule', {}, 'ROLE yes SCOPE MFA_REQUIRED RECENT_LOGIN_REQUIRED ROLE'],
    ['of a rule, on no ticket', { ticketId: null, ticket: null }, 'ROLE yes yes MFA_REQUIRED RECENT_LOGIN_REQUIRED ROLE'],
    ['of a rule, by whom no helpdesk knows', { knowsActor: false }, 'ROLE OWN_REQUEST OWN_REQUEST MFA_REQUIRED OWN_REQUEST ROLE'],
    ['of their own', { requester: byThem, knowsRequester: true }, 'ROLE OWN_REQUEST SCOPE MFA_REQUIRED OWN_REQUEST ROLE'],
    [
      'of the same person under another subject',
      { requester: { ...byThem, actorId: 'act_7' }, knowsRequester: true },
      'ROLE OWN_REQUEST SCOPE MFA_REQUIRED OWN_REQUEST ROLE',
    ],
    [
      'of whom the helpdesk doesn’t know',
      { requester: { actorId: 'act_7', staffIds: [] } },
      'ROLE OWN_REQUEST OWN_REQUEST MFA_REQUIRED OWN_REQUEST ROLE',
    ],
    ['with a ticket of its customer', { hadTicket: true }, 'ROLE OWN_REQUEST SCOPE MFA_REQUIRED OWN_REQUEST ROLE'],
    [
      'on a ticket that they created',
      { ticket: { ...ticket, createdById: 'stf_2' } },
      'ROLE SELF_MADE SCOPE MFA_REQUIRED SELF_MADE ROLE',
    ],
    [
      'on a ticket that they moved to their team',
      { ticket: { ...ticket, teamSetById: 'stf_2' } },
      'ROLE SCOPE SCOPE MFA_REQUIRED SCOPE ROLE',
    ],
  ])('%s', (_, given, expected) => {
    expect(answers(holdActions.approve, { ...subject, ...given })).toBe(expected);
    expect(answers(holdActions.reject, { ...subject, ...given })).toBe(expected);
  });
});

describe('letting go', () => {
  const letting = [holdActions.release, holdActions.extend];
  const theirs: Partial<HoldSubject> = { isAssisted: true, hadTicket: true };

  it.each<[HoldCause, string]>([
    ['AGENT', 'yes'],
    ['SUPERVISOR', 'OWN_REQUEST'],
    ['RULE', 'OWN_REQUEST'],
    ['CUSTOMER', 'OWN_REQUEST'],
  ])('by the ticket’s agent, of what was placed by %s', (cause, expected) => {
    expect(answer(holdActions.release, 'agent', { ...subject, ...theirs, cause })).toBe(expected);
  });

  it('by the ticket’s agent only while it is known that it is theirs', () => {
    const stale = { ...ticket, isFresh: false };
    expect(answer(holdActions.release, 'agent', { ...subject, ...theirs, cause: 'AGENT', ticket: stale })).toBe('STALE');
  });

  it.each(holdCauses)('by who only assists on a colleague’s ticket never, whoever placed it (%s)', (cause) => {
    const colleagues = { ...ticket, assigneeId: 'stf_9' };
    expect(answer(holdActions.release, 'agent', { ...subject, ...theirs, cause, ticket: colleagues })).toBe('NO_ASSISTANCE');
  });

  it.each<[HoldCause, string]>([
    ['AGENT', 'yes SCOPE MFA_REQUIRED yes'],
    ['SUPERVISOR', 'yes SCOPE MFA_REQUIRED yes'],
    ['RULE', 'yes SCOPE MFA_REQUIRED RECENT_LOGIN_REQUIRED'],
    ['CUSTOMER', 'yes SCOPE MFA_REQUIRED RECENT_LOGIN_REQUIRED'],
  ])('by a supervisor, of what was placed by %s', (cause, expected) => {
    const who = [
      'supervisor',
      'another team’s supervisor',
      'supervisor without a second factor',
      'supervisor of an old session',
    ] as const;
    for (const act of letting) expect(who.map((each) => answer(act, each, { ...subject, cause })).join(' ')).toBe(expected);
  });

  it.each<[HoldCause, string]>([
    ['AGENT', 'yes'],
    ['RULE', 'OWN_REQUEST'],
    ['CUSTOMER', 'OWN_REQUEST'],
  ])('by a supervisor with a ticket of its customer, of what was placed by %s', (cause, expected) => {
    expect(answer(holdActions.release, 'supervisor', { ...subject, cause, hadTicket: true })).toBe(expected);
  });

  it('is an agent’s, and moving the end isn’t', () => {
    expect(answer(holdActions.extend, 'agent', { ...subject, ...theirs, cause: 'AGENT' })).toBe('ROLE');
  });
});
