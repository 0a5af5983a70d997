import type { Role } from '../../authz/actor';

export interface DevelopmentPerson {
  readonly user: string;
  readonly roles: readonly Role[];
  readonly teams: readonly string[];
}

/** The demo merchant's people. Staff of the demo helpdesk have the same login names. */
export const developmentPeople: readonly DevelopmentPerson[] = [
  { user: 'ana', roles: ['AGENT'], teams: ['cards'] },
  { user: 'ben', roles: ['AGENT'], teams: ['wallets'] },
  { user: 'sam', roles: ['SUPERVISOR'], teams: ['cards', 'wallets'] },
  { user: 'pia', roles: ['PAYMENTS'], teams: [] },
  { user: 'ada', roles: ['AUDITOR'], teams: [] },
  { user: 'pru', roles: ['PRIVACY'], teams: [] },
  { user: 'pip', roles: ['SERVICE'], teams: [] },
  { user: 'oz', roles: ['ADMIN'], teams: [] },
];
