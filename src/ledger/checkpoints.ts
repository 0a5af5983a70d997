import { type Checkpoint, openCheckpoint, signCheckpoint, unanchoredExtension } from '../audit/checkpoint';
import { compactRange, consistencyPath, emptyRoot, nodeHash, verifyConsistency } from '../audit/merkle';
import { NoteInvalid, type SignerKey, signerKeyOf, type VerifierKey, verifierKeyOf } from '../audit/note';
import { parseSigningKeys } from '../audit/signing-key';
import type { Database } from '../db/database';
import type { Reads } from '../db/reads';
import { type Sql, sql } from '../db/sql';
import { select } from '../db/table';
import { auditCheckpoints } from './audit-tree.entity';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';
import { StoredTree, TreeBroken } from './stored-tree';

/** A checkpoint with the note it is signed as. */
export interface SignedCheckpoint extends Checkpoint {
  /** The signed note, UTF-8 text. */
  readonly note: string;
  readonly signedAt: Date;
}

const c = auditCheckpoints;
const checkpoints = select(c.pick('note', 'treeSize', 'rootHash', 'signedAt'), sql`FROM ${c}`);
const latestOne = sql`ORDER BY ${c.treeSize} DESC LIMIT 1`;

/** What `AUDIT_SIGNING_KEY` holds, as keys of this log. Throws `SigningKeyInvalid`. */
export const signersOf = (origin: string, text: string): readonly SignerKey[] =>
  parseSigningKeys(text).map((key) => signerKeyOf(origin, key));

/** How an event names a public key: 32 bits of its hash in hexadecimal, as the signatures do. */
export const keyIdText = ({ keyId }: Pick<VerifierKey, 'keyId'>): string => keyId.toString(16).padStart(8, '0');

/** The root over the first `size` leaves. Throws `TreeBroken`. */
export const rootAt = async (tree: StoredTree, size: number): Promise<Buffer> =>
  size === 0 ? emptyRoot : (await compactRange(0, size, tree.nodeAt)).reduceRight((right, left) => nodeHash(left, right));

/** The log's signed tree heads as they are stored. */
export class Checkpoints {
  constructor(
    private readonly database: Reads,
    readonly origin: string,
  ) {}

  /** The latest one; null before the first. What it says isn’t compared with the tree here. */
  async latest(): Promise<SignedCheckpoint | null> {
    return this.read(this.database, latestOne);
  }

  /** The smallest one that covers a leaf, or null while none does. */
  async covering(leafIndex: number): Promise<SignedCheckpoint | null> {
    return this.read(this.database, sql`AND ${c.treeSize} > ${leafIndex} ORDER BY ${c.treeSize} LIMIT 1`);
  }

  async at(size: number): Promise<SignedCheckpoint | null> {
    return this.read(this.database, sql`AND ${c.treeSize} = ${size}`);
  }

  /**
   * Signs the tree as it is committed, where it has grown since the latest checkpoint, and returns that one. Only what is
   * shown to continue the latest checkpoint is signed, and only where that one is by one of `keys` (the signers' own unless
   * given); of two that sign the same size one finds the other's. Null where there is nothing new. Throws `LogBroken`.
   */
  sign(
    database: Database,
    signers: readonly SignerKey[],
    options: { readonly anchored: boolean; readonly at: Date; readonly keys?: readonly VerifierKey[] },
  ): Promise<SignedCheckpoint | null> {
    return database.sequence(async (commit) => {
      const size = await treeSize(commit);
      const latest = await this.read(commit, latestOne);
      if (latest && latest.size > size) throw truncated(latest.size, size);
      if (size === 0 || latest?.size === size) return null;
      const tree = new StoredTree(commit);
      const older = latest && this.proven(latest, options.keys ?? signers.map(verifierKeyOf));
      const root = await this.continued(tree, older, size);
      const checkpoint: Checkpoint = {
        origin: this.origin,
        size,
        root,
        extensions: options.anchored ? [] : [unanchoredExtension],
      };
      const note = signCheckpoint(checkpoint, signers);
      await commit.insert(auditCheckpoints, [
        {
          origin: this.origin,
          treeSize: size,
          rootHash: root.toString('hex'),
          note: Buffer.from(note, 'utf8'),
          signedAt: options.at,
        },
      ]);
      return { ...checkpoint, note, signedAt: options.at };
    });
  }

  /** The root of `size` leaves, shown to continue an older checkpoint as any outsider would have it shown. Throws `LogBroken`. */
  async continued(tree: StoredTree, older: Checkpoint | null, size: number): Promise<Buffer> {
    try {
      const root = await rootAt(tree, size);
      if (older === null || older.size === 0) return root;
      const path = await consistencyPath(older.size, size, tree.nodeAt);
      if (!verifyConsistency(older.size, size, older.root, root, path)) throw rewritten(older.size);
      return root;
    } catch (error) {
      if (!(error instanceof TreeBroken)) throw error;
      throw new LogBroken('MISSING', error.message);
    }
  }

  /** A stored checkpoint, opened with the log's keys. Throws `LogBroken` for one that none of them signed. */
  proven(checkpoint: SignedCheckpoint, keys: readonly VerifierKey[]): Checkpoint {
    try {
      const opened = openCheckpoint(checkpoint.note, keys);
      if (opened.origin === this.origin && opened.size === checkpoint.size && opened.root.equals(checkpoint.root)) return opened;
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
    }
    throw new LogBroken(
      'UNSIGNED',
      `The stored checkpoint of size ${checkpoint.size} isn't one that a known key of this log signed.`,
      'Where keys were rotated, give the old one too (AUDIT_SIGNING_KEY holds several, audit.keys public ones). Otherwise keep this database as it is for whoever investigates.',
    );
  }

  private async read(reads: Reads, rest: Sql): Promise<SignedCheckpoint | null> {
    const [row] = await reads.read(checkpoints, sql`WHERE ${c.origin} = ${this.origin} ${rest}`);
    if (!row) return null;
    return {
      origin: this.origin,
      size: row.treeSize,
      root: Buffer.from(row.rootHash, 'hex'),
      extensions: row.note.toString('utf8').includes(`\n${unanchoredExtension}\n`) ? [unanchoredExtension] : [],
      note: row.note.toString('utf8'),
      signedAt: row.signedAt,
    };
  }
}

export const truncated = (signed: number, stored: number): LogBroken =>
  new LogBroken(
    'TRUNCATED',
    `The stored log has ${stored} leaves, but a checkpoint over ${signed} was signed: its tail is gone.`,
    'If this is a restored backup, restore a newer one, or begin a new name with "counterfoil audit fork". Otherwise keep this database as it is for whoever investigates.',
  );

export const rewritten = (size: number): LogBroken =>
  new LogBroken('REWRITTEN', `The stored log isn't the one whose first ${size} leaves were signed: it was rewritten.`);
