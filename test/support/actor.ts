import type { SignedInActor } from '../../src/authz/actor';
import type { Database } from '../../src/db/database';
import { tamper } from './audit-log';

/** A person of the staff, of whom nothing is stored before `known` sees to it. */
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

/** Stores whom a gateway would have seen first: nobody else changes anything, or is shown it. */
export const known = async (database: Database, { id }: Pick<SignedInActor, 'id'> = somebody): Promise<void> => {
  const values = [id, 'test', `digest of ${id}`, 0, 0];
  await tamper(database, 'INSERT INTO actor (id, issuer, subject_digest, created_at, fence) VALUES (?, ?, ?, ?, ?)', values);
};
