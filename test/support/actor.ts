import type { SignedInActor } from '../../src/authz/actor';

/** A person of the staff, of whom nothing is stored. */
export const somebody: SignedInActor = {
  kind: 'staff',
  id: 'act_test',
  roles: ['AGENT'],
  teams: [],
  mfa: true,
  authenticatedAt: null,
  expiresAt: new Date(Date.UTC(2100, 0)),
  staffIds: [],
  helpdesks: [],
};
