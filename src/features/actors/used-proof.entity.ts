import { Instant, Key } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A proof of possession (RFC 9449) that was taken, for as long as it could be taken again: once, by all processes together. */
@Entity('used_proof')
@Index('ix_used_proof_ends_at', ['endsAt'])
export class UsedProof {
  /** Digest of the key's thumbprint and the proof's `jti`. */
  @Key() id!: string;
  /** After that it isn't taken any more. */
  @Instant({ name: 'ends_at' }) endsAt!: Date;
}
export const usedProofs = table(UsedProof);
