import type { Role, SignedInActor } from '../../authz/actor';
import { type Rule, reasonOf } from '../../authz/rule';
import {
  type AssistanceSubject,
  assistanceActions,
  beginsByItself,
  mayAsk,
  type OpeningSubject,
  type TicketSubject,
} from './assistance.policy';

const at = new Date('2026-09-01T09:00:00Z');

const person = (roles: readonly Role[], staffId: string, over: Partial<SignedInActor> = {}): SignedInActor => ({
  kind: 'staff',
  id: `act_${staffId}`,
  roles,
  teams: ['cards'],
  mfa: true,
  authenticatedAt: at,
  expiresAt: new Date(at.getTime() + 900_000),
  staffIds: [staffId],
  helpdesks: ['demo'],
  ...over,
});
const ana = person(['AGENT'], 'ana');
const sam = person(['SUPERVISOR'], 'sam');

const anas: OpeningSubject = {
  id: 'tkt_1',
  status: 'OPEN',
  team: 'cards',
  assigneeId: 'ana',
  assignedById: 'sam',
  teamSetById: null,
  createdById: null,
  customerSetByIds: [],
  customerId: 'cus_1',
  knowsActor: true,
  isFresh: true,
  wasEndedBySupervisor: false,
};
const unassigned: OpeningSubject = { ...anas, assigneeId: null, assignedById: null };

const answer = <Subject>(rule: Rule<Subject>, actor: SignedInActor, ticket: Subject): string =>
  rule(actor, ticket) ? 'yes' : reasonOf(rule, actor, ticket);

describe('opening a ticket begins an assistance by itself', () => {
  it.each<[string, SignedInActor, OpeningSubject, string, string]>([
    // who and which ticket, by [own], by [own, team]
    ['on a ticket that a colleague assigned to one', ana, anas, 'yes', 'yes'],
    ['on one taken from the own team’s queue', ana, { ...anas, assignedById: 'ana' }, 'yes', 'yes'],
    [
      'on one taken from another team’s queue',
      ana,
      { ...anas, assignedById: 'ana', team: 'wallets' },
      'NO_ASSISTANCE',
      'NO_ASSISTANCE',
    ],
    [
      'on one moved to the own team and then taken',
      ana,
      { ...anas, assignedById: 'ana', teamSetById: 'ana' },
      'NO_ASSISTANCE',
      'NO_ASSISTANCE',
    ],
    ['on one that a colleague moved here and one took', ana, { ...anas, assignedById: 'ana', teamSetById: 'ben' }, 'yes', 'yes'],
    ['on the team’s, unassigned', ana, unassigned, 'NO_ASSISTANCE', 'yes'],
    ['on the team’s, moved there by oneself', ana, { ...unassigned, teamSetById: 'ana' }, 'NO_ASSISTANCE', 'NO_ASSISTANCE'],
    ['on a colleague’s of the team', ana, { ...anas, assigneeId: 'ben' }, 'NO_ASSISTANCE', 'yes'],
    ['on one that one created', ana, { ...anas, createdById: 'ana' }, 'SELF_MADE', 'SELF_MADE'],
    ['on one whose customer one set', ana, { ...anas, customerSetByIds: ['ben', 'ana'] }, 'SELF_MADE', 'SELF_MADE'],
    ['for somebody whom the helpdesk doesn’t know', ana, { ...anas, knowsActor: false }, 'SELF_MADE', 'SELF_MADE'],
    ['on a resolved one', ana, { ...anas, status: 'RESOLVED' }, 'TICKET_CLOSED', 'TICKET_CLOSED'],
    ['on one without a customer', ana, { ...anas, customerId: null }, 'NO_ASSISTANCE', 'NO_ASSISTANCE'],
    ['on a word that is too old', ana, { ...anas, isFresh: false }, 'STALE', 'STALE'],
    ['where a supervisor ended theirs', ana, { ...anas, wasEndedBySupervisor: true }, 'APPROVAL_REQUIRED', 'APPROVAL_REQUIRED'],
    [
      'where a supervisor ended theirs, and it isn’t theirs any more',
      ana,
      { ...anas, assigneeId: 'zoe', team: null, wasEndedBySupervisor: true },
      'NO_ASSISTANCE',
      'NO_ASSISTANCE',
    ],
    ['without a second factor', person(['AGENT'], 'ana', { mfa: false }), anas, 'MFA_REQUIRED', 'MFA_REQUIRED'],
    ['for an administrator whom it is assigned to', person(['ADMIN'], 'ana'), anas, 'ROLE', 'ROLE'],
    ['for a service', person(['SERVICE'], 'ana', { kind: 'service' }), anas, 'ROLE', 'ROLE'],
  ])('%s', (_, actor, ticket, own, ownAndTeam) => {
    expect([answer(beginsByItself(['own']), actor, ticket), answer(beginsByItself(['own', 'team']), actor, ticket)]).toEqual([
      own,
      ownAndTeam,
    ]);
    expect(beginsByItself([])(actor, ticket)).toBe(false);
  });
});

describe('asking with a reason', () => {
  it.each<[string, SignedInActor, TicketSubject, string]>([
    ['a colleague’s ticket', ana, { ...anas, assigneeId: 'ben' }, 'yes'],
    ['one of one’s own making', ana, { ...anas, createdById: 'ana' }, 'yes'],
    ['a closed one', ana, { ...anas, status: 'CLOSED' }, 'TICKET_CLOSED'],
    ['on a word that is too old', ana, { ...anas, isFresh: false }, 'STALE'],
    ['as an auditor', person(['AUDITOR'], 'ada'), anas, 'ROLE'],
  ])('%s', (_, actor, ticket, expected) => {
    expect(answer(mayAsk, actor, ticket)).toBe(expected);
  });
});

describe('approving', () => {
  const asker = (actor: SignedInActor) => ({ actorId: actor.id, staffIds: actor.staffIds });
  const request: AssistanceSubject = { requester: asker(ana), knowsRequester: true, ticket: anas, at };
  const minutes = (count: number) => new Date(at.getTime() - count * 60_000);
  it.each<[string, SignedInActor, AssistanceSubject, string]>([
    ['a supervisor of the team, just signed in', sam, request, 'yes'],
    ['one’s own request', sam, { ...request, requester: asker(sam) }, 'OWN_REQUEST'],
    ['one’s own, asked for as another actor', { ...sam, id: 'act_other' }, { ...request, requester: asker(sam) }, 'OWN_REQUEST'],
    ['one that was asked for by nobody whom the helpdesk knows', sam, { ...request, knowsRequester: false }, 'OWN_REQUEST'],
    ['when the helpdesk doesn’t know the supervisor', sam, { ...request, ticket: { ...anas, knowsActor: false } }, 'OWN_REQUEST'],
    ['a supervisor of another team', person(['SUPERVISOR'], 'sue', { teams: ['wallets'] }), request, 'SCOPE'],
    ['a quarter of an hour after signing in', person(['SUPERVISOR'], 'sam', { authenticatedAt: minutes(15) }), request, 'yes'],
    ['later than that', person(['SUPERVISOR'], 'sam', { authenticatedAt: minutes(16) }), request, 'RECENT_LOGIN_REQUIRED'],
    [
      'when nobody knows when they signed in',
      person(['SUPERVISOR'], 'sam', { authenticatedAt: null }),
      request,
      'RECENT_LOGIN_REQUIRED',
    ],
    ['without a second factor', person(['SUPERVISOR'], 'sam', { mfa: false }), request, 'MFA_REQUIRED'],
    ['a colleague who is no supervisor', person(['AGENT'], 'ben'), request, 'ROLE'],
    ['on a closed ticket', sam, { ...request, ticket: { ...anas, status: 'CLOSED' } }, 'TICKET_CLOSED'],
    ['on a word that is too old', sam, { ...request, ticket: { ...anas, isFresh: false } }, 'STALE'],
  ])('%s', (_, actor, subject, expected) => {
    const { rule } = assistanceActions.approve;
    expect(rule(actor, subject) ? 'yes' : reasonOf(rule, actor, subject)).toBe(expected);
  });
});

describe('refusing', () => {
  const asker = (actor: SignedInActor) => ({ actorId: actor.id, staffIds: actor.staffIds });
  const request: AssistanceSubject = { requester: asker(ana), knowsRequester: true, ticket: anas, at };
  it.each<[string, SignedInActor, AssistanceSubject, string]>([
    ['a supervisor of the team, just signed in', sam, request, 'yes'],
    ['one’s own request', sam, { ...request, requester: asker(sam) }, 'OWN_REQUEST'],
    ['on a ticket that one created', sam, { ...request, ticket: { ...anas, createdById: 'sam' } }, 'SELF_MADE'],
    ['a supervisor of another team', person(['SUPERVISOR'], 'sue', { teams: ['wallets'] }), request, 'SCOPE'],
    ['a colleague who is no supervisor', person(['AGENT'], 'ben'), request, 'ROLE'],
    ['on a closed ticket', sam, { ...request, ticket: { ...anas, status: 'CLOSED' } }, 'yes'],
    ['on a word that is too old', sam, { ...request, ticket: { ...anas, isFresh: false } }, 'yes'],
  ])('%s', (_, actor, subject, expected) => {
    const { rule } = assistanceActions.reject;
    expect(rule(actor, subject) ? 'yes' : reasonOf(rule, actor, subject)).toBe(expected);
  });
});
