import { randomBytes } from 'node:crypto';
import type { CustomerUnderDigest, SealedNote } from '../../audit/event';
import type { Change } from '../../db/change';
import { type SealedField, sealedPlace, type Table } from '../../db/table';
import type { DataKey } from '../../privacy/customer-keys';
import { auditDigest, auditSaltBytes } from '../../privacy/digests';
import { open } from '../../privacy/sealing';
import { type Keys, sealField } from './keys.service';

/** The key of a customer within one change; `null` once the customer was erased. */
export class CustomerSeal {
  private constructor(
    readonly customerId: string,
    readonly key: DataKey | null,
    private readonly keys: Keys,
  ) {}

  static async of(change: Change, keys: Keys, customerId: string): Promise<CustomerSeal> {
    return new CustomerSeal(customerId, (await keys.forOwners(change, [customerId])).get(customerId) ?? null, keys);
  }

  /** The clear text of a sealed field of a row that is under this customer's key. */
  open<E, Field extends SealedField<E>>(
    of: Table<E>,
    row: { readonly id: string } & Readonly<Record<`${Field}Sealed`, Buffer | null>>,
    field: Field,
  ): string | null {
    const sealed = row[`${field}Sealed` as keyof typeof row] as Buffer | null;
    return sealed === null || this.key === null ? null : open(this.key.key, sealedPlace(of, field, row.id), sealed);
  }

  /** Throws where the customer was erased: nothing new is kept of them. */
  seal<E>(of: Table<E>, row: string, field: SealedField<E>, text: string): Buffer {
    if (this.key === null) throw new RangeError('the customer was erased');
    return sealField(of, row, field, this.key, text);
  }

  /** Salt and digest of a text under the customer's key, as `salt.digest` in base64url. */
  digest(text: string): string {
    if (this.key === null) throw new RangeError('the customer was erased');
    const salt = randomBytes(auditSaltBytes);
    return `${salt.toString('base64url')}.${auditDigest(this.key.key, salt, text)}`;
  }

  get customers(): readonly CustomerUnderDigest[] {
    const { key, customerId, keys } = this;
    return [keys.underDigest(customerId, { keyId: key?.id ?? '', keyWrapped: key?.wrapped ?? null, keyOwner: customerId })];
  }

  notes<Name extends string>(texts: { readonly [Note in Name]: string | null }): readonly SealedNote<Name>[] {
    const { key, keys } = this;
    if (key === null) return [];
    return (Object.entries(texts) as [Name, string | null][]).flatMap(([name, text]) =>
      text === null ? [] : [keys.note(name, key, text)],
    );
  }
}
