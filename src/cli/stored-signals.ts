import { keyEncryptionOf } from '../config/key-encryption';
import { loadAuditConfig, loadConfig } from '../config/load';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { storedDigests } from '../features/keys/vouchers';
import { oneNameEach } from '../features/signal-names';
import { f, placedSignals, signalOf } from '../features/signals/signals.rows';
import { subjectDigest } from '../features/signals/subjects';
import type { RulesFile } from '../risk/rules-file';
import type { Signal } from '../risk/signal';
import { readAuditDatabase } from './audit-database';

/** Signals that are read at once. */
const batch = 5_000;

/** The signals that the gateway has stored, in the order in which it received them. */
export class StoredSignals {
  private constructor(
    private readonly reads: Reads & { close(): Promise<void> },
    private readonly domainDigest: (domain: string) => string,
    private readonly nameOf: (customer: string) => string,
  ) {}

  /** Beside a gateway on the embedded database a snapshot. Throws `ConfigInvalid`, `DatabaseMissing`, and where the key isn't that of the installation. */
  static async open(): Promise<StoredSignals> {
    const { keyEncryption } = loadConfig();
    const reads = await readAuditDatabase(loadAuditConfig({ signs: false }));
    try {
      // Whoever examines makes no key.
      const encryption = keyEncryptionOf({
        keyEncryption: 'file' in keyEncryption ? { ...keyEncryption, create: false } : keyEncryption,
      });
      const digests = await storedDigests(reads, encryption);
      return new StoredSignals(
        reads,
        (domain) => (digests ? subjectDigest(digests, 'emailDomain', domain) : domain),
        await oneNameEach(reads),
      );
    } catch (error) {
      await reads.close();
      throw error;
    }
  }

  /** The rules as they see what is stored: a mail domain stands there by its digest. */
  seenBy(file: RulesFile): RulesFile {
    return { ...file, sharedMailDomains: new Set([...file.sharedMailDomains].map(this.domainDigest)) };
  }

  /** All that are kept, of each customer under one name. */
  async *all(): AsyncGenerator<readonly Signal[]> {
    for (let after = -1; ; ) {
      const rows = await this.reads.read(
        placedSignals,
        sql`WHERE ${f.position} > ${after} ORDER BY ${f.position} LIMIT ${batch}`,
      );
      const last = rows.at(-1);
      if (!last) return;
      yield rows.map((row) => {
        const signal = signalOf(row);
        const { customer } = signal.subjects;
        return customer === undefined ? signal : { ...signal, subjects: { ...signal.subjects, customer: this.nameOf(customer) } };
      });
      after = last.position;
    }
  }

  close(): Promise<void> {
    return this.reads.close();
  }
}
