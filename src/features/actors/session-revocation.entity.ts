import { Instant, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A session or a person that the identity provider signed out (OIDC Back-Channel Logout 1.0). Kept until no token of it can still be valid. */
@Entity('session_revocation')
@Index('ix_session_revocation_until_at', ['untilAt'])
export class SessionRevocation {
  @Key() id!: string;
  @Text(255) issuer!: string;
  @Text(64, { name: 'subject_digest', nullable: true }) subjectDigest!: string | null;
  @Text(64, { name: 'session_digest', nullable: true }) sessionDigest!: string | null;
  @Instant({ name: 'issued_at' }) issuedAt!: Date;
  @Instant({ name: 'until_at' }) untilAt!: Date;
}
export const sessionRevocations = table(SessionRevocation);
