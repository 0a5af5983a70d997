import { Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A browser in which somebody of the staff signed in. Its cookie is stored as a keyed digest, their tokens sealed under a key of the installation. */
@Entity('browser_session')
@Index('uq_browser_session_cookie_digest', ['cookieDigest'], { unique: true })
@Index('ix_browser_session_ended_at_used_at', ['endedAt', 'usedAt'])
export class BrowserSession {
  @Key() id!: string;
  @Text(64, { name: 'cookie_digest' }) cookieDigest!: string;
  @Text(64, { name: 'actor_id' }) actorId!: string;
  @Text(255) issuer!: string;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** When it is over, whatever happens. */
  @Instant({ name: 'ends_at' }) endsAt!: Date;
  /** Of the last request, to half a minute. */
  @Instant({ name: 'used_at' }) usedAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  /** Access, refresh and ID token, as JSON. */
  @Sealed({ name: 'tokens_sealed', nullable: true }) tokensSealed!: Buffer | null;
  /** Until when the access token is good. */
  @Instant({ name: 'access_until' }) accessUntil!: Date;
  /** Until when a process has asking for new tokens to itself: a refresh token is good once. */
  @Instant({ name: 'refresh_until', nullable: true }) refreshUntil!: Date | null;
}
export const browserSessions = table(BrowserSession);
