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

/** A role as one says it. */
const roleWords: Readonly<Record<Role, string>> = {
  AGENT: 'agent',
  SUPERVISOR: 'supervisor',
  PAYMENTS: 'payments team',
  AUDITOR: 'auditor',
  PRIVACY: 'privacy officer',
  SERVICE: 'service',
  ADMIN: 'admin',
};

/** What a person does, and for which teams. */
export const describePerson = ({ roles, teams }: DevelopmentPerson): string =>
  `${roles.map((role) => roleWords[role]).join(', ')}${teams.length > 0 ? ` · ${teams.join(', ')}` : ''}`;
