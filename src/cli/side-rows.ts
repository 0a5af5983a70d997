import { keyEncryptionOf } from '../config/key-encryption';
import { loadConfig } from '../config/load';
import type { Reads } from '../db/reads';
import { StoredKeys } from '../features/keys/stored-keys';
import { storedVouchers } from '../features/keys/vouchers';
import type { ScrubOptions, ScrubReport } from '../ledger/scrub';
import { SideRows } from '../ledger/side-rows';
import { DataKeyring } from '../privacy/customer-keys';
import { KeyEncryptionInvalid, WrappedKeyBroken } from '../privacy/key-encryption';

interface RowsOfDoctor {
  readonly options: Pick<ScrubOptions, 'rows' | 'vouchers'>;
  readonly findings: readonly { readonly about: 'log'; readonly message: string }[];
  /** What `doctor` says of the rows once it has read the log. */
  said(report: ScrubReport): readonly string[];
}

/** How `doctor` holds the rows beside the leaves against them: with the customers' keys, so never without the key that opens these. */
export const sideRowsOf = async (database: Reads): Promise<RowsOfDoctor> => {
  const { keyEncryption } = loadConfig();
  try {
    // Whoever examines makes no key.
    const encryption = keyEncryptionOf({
      keyEncryption: 'file' in keyEncryption ? { ...keyEncryption, create: false } : keyEncryption,
    });
    const vouchers = await storedVouchers(database, encryption);
    return {
      options: {
        rows: new SideRows(database, new StoredKeys(database, new DataKeyring(encryption))),
        ...(vouchers ? { vouchers } : {}),
      },
      findings: [],
      said: ({ leaves, findings }) => [
        `rows: customers, tickets, texts and columns of ${leaves} leaves held against them; ${
          findings.some(({ what }) => what === 'ROWS' || what === 'COLUMNS') ? 'some differ' : 'they say the same'
        }`,
      ],
    };
  } catch (error) {
    if (!(error instanceof KeyEncryptionInvalid || error instanceof WrappedKeyBroken)) throw error;
    return {
      options: {},
      findings: [
        {
          about: 'log',
          message: `the rows that answers go by can't be held against the leaves without the key: ${error.message}`,
        },
      ],
      said: () => [],
    };
  }
};
