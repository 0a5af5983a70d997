import { DocumentText, Instant, Key, WordList } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A document that clients may ask for by its hash. The text never changes: another one has another hash. */
@Entity('registered_operation')
@Index('ix_registered_operation_retired_at', ['retiredAt'])
export class RegisteredOperation {
  /** SHA-256 of the text's UTF-8 bytes, in lower-case hexadecimal digits. */
  @Key() id!: string;
  @DocumentText() text!: string;
  /** Kind and name of each, `query Context`. */
  @WordList() operations!: readonly string[];
  @Instant({ name: 'registered_at' }) registeredAt!: Date;
  /** Null while it may be asked for. */
  @Instant({ name: 'retired_at', nullable: true }) retiredAt!: Date | null;
}
export const registeredOperations = table(RegisteredOperation);
