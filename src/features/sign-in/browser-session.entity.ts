import { Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A browser in which somebody of the staff signed in. Its cookie is stored as a keyed digest, their tokens sealed under a key of the installation and the cookie: nobody else’s opens them. */
@Entity('browser_session')
@Index('uq_browser_session_cookie_digest', ['cookieDigest'], { unique: true })
@Index('ix_browser_session_ended_at_used_at', ['endedAt', 'usedAt'])
export class BrowserSession {
  @Key() id!: string;
  @Text(64, { name: 'cookie_digest' }) cookieDigest!: string;
  @Text(64, { name: 'actor_id' }) actorId!: string;
  @Text(255) issuer!: string;
  /** Keyed digest of who they are at the provider, by which a logout there finds it. */
  @Text(64, { name: 'subject_digest' }) subjectDigest!: string;
  /** Keyed digest of the provider’s own session (`sid`); null where neither token names one. */
  @Text(64, { name: 'session_digest', nullable: true }) sessionDigest!: string | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** When it is over, whatever happens. */
  @Instant({ name: 'ends_at' }) endsAt!: Date;
  /** Of a request in the half minute before the last one. */
  @Instant({ name: 'used_at' }) usedAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  /** Access and refresh token, and whose session from when to when, as JSON. */
  @Sealed({ name: 'tokens_sealed', nullable: true }) tokensSealed!: Buffer | null;
  /** Until when the access token is good. */
  @Instant({ name: 'access_until' }) accessUntil!: Date;
  /** Until when a process has asking for new tokens to itself: a refresh token is good once. */
  @Instant({ name: 'refresh_until', nullable: true }) refreshUntil!: Date | null;
}
export const browserSessions = table(BrowserSession);
