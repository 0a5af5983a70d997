import { Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/**
 * A frame in a helpdesk's page, within the session of a browser and no longer than that. It has no tokens: what leads to the browser's
 * session is sealed under a key of the installation and the frame's own cookie, which is stored as a keyed digest.
 */
@Entity('frame_session')
@Index('uq_frame_session_cookie_digest', ['cookieDigest'], { unique: true })
@Index('ix_frame_session_ended_at_session_id', ['endedAt', 'sessionId'])
export class FrameSession {
  @Key() id!: string;
  @Text(64, { name: 'cookie_digest' }) cookieDigest!: string;
  /** `ses_…`, the browser's session that it is within. */
  @Text(64, { name: 'session_id' }) sessionId!: string;
  /** The helpdesk whose tickets it is for. */
  @Text(64) source!: string;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  /** The browser's cookie, and of which frame's session, as JSON; null once it ended. */
  @Sealed({ name: 'within_sealed', nullable: true }) withinSealed!: Buffer | null;
}
export const frameSessions = table(FrameSession);

/** A code, or what a helpdesk signed, that was used, for as long as it could be used again: once, by all processes together. */
@Entity('frame_use')
@Index('ix_frame_use_ends_at', ['endsAt'])
export class FrameUse {
  /** Keyed digest of it. */
  @Key() id!: string;
  /** After that it is too old anyway. */
  @Instant({ name: 'ends_at' }) endsAt!: Date;
}
export const frameUses = table(FrameUse);
