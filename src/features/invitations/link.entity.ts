import { Instant, Key, Text } from '../../db/columns';

/** A link that was sent. Each sending has a token of its own, and a slice's own entity says whose it is. */
export abstract class StoredLink {
  @Key() id!: string;
  /** Keyed: the token itself is nowhere kept, so that none can be sent again. */
  @Text(64, { name: 'token_digest' }) tokenDigest!: string;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
}

/** Why a link isn't sent: its customer can't be asked. */
export type Undelivered = 'UNDELIVERABLE' | 'CONTACT_CHANGED' | 'LINK_CHANGED' | 'CUSTOMER_ERASED';
