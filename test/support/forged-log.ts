import { canonicalize } from '../../src/audit/canonical';
import { signCheckpoint } from '../../src/audit/checkpoint';
import { Frontier, leafHash } from '../../src/audit/merkle';
import { formatVerifierKey, generateSignerKey, type SignerKey, verifierKeyOf } from '../../src/audit/note';
import type { Database } from '../../src/db/database';
import { keyIdText } from '../../src/ledger/checkpoints';
import { tamper } from './audit-log';

type LeafContent = Record<string, unknown> & { actor: { id: string } };

/** Somebody with the database and a key of their own, and without the log's. */
export class Forger {
  readonly signer: SignerKey;

  constructor(
    private readonly database: Database,
    private readonly origin: string,
  ) {
    this.signer = generateSignerKey(origin);
  }

  get key(): string {
    return formatVerifierKey(verifierKeyOf(this.signer));
  }

  private sql(text: string, parameters: readonly unknown[] = []): Promise<unknown> {
    return tamper(this.database, text, parameters);
  }

  /** Makes leaves say something else: bytes, hash and columns agree with each other afterwards. */
  async edit(from: number, change: (leaf: LeafContent, index: number) => LeafContent | null): Promise<void> {
    const rows = await this.database.query<{ leaf_index: number; event_id: string; leaf: Buffer }>(
      'SELECT l.leaf_index, l.event_id, e.leaf FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id WHERE l.leaf_index >= ? ORDER BY l.leaf_index',
      [from],
    );
    for (const { leaf_index: index, event_id: id, leaf } of rows) {
      const edited = change(JSON.parse(leaf.toString('utf8')) as LeafContent, Number(index));
      if (edited === null) continue;
      const bytes = Buffer.from(canonicalize(edited as never), 'utf8');
      const hash = leafHash(bytes).toString('hex');
      const subject = edited.subject as { type: string; id: string } | null;
      await this.sql(
        'UPDATE audit_event SET leaf = ?, leaf_hash = ?, action = ?, actor_id = ?, subject_type = ?, subject_id = ? WHERE id = ?',
        [bytes, hash, edited.action, edited.actor.id, subject?.type ?? null, subject?.id ?? null, id],
      );
      await this.sql('UPDATE audit_leaf SET leaf_hash = ? WHERE event_id = ?', [hash, id]);
    }
  }

  /** A leaf that names the forger's key as the log's. */
  asKeyEvent(leaf: LeafContent): LeafContent {
    return {
      ...leaf,
      action: 'log.key',
      subject: { type: 'LogKey', id: keyIdText(verifierKeyOf(this.signer)) },
      detail: { key: this.key },
    };
  }

  /** Builds the tree of what is stored anew, and signs each head over more than `beyond` leaves with the forger's key. */
  async sign(beyond = 0): Promise<void> {
    const heads = await this.database.query<{ tree_size: number }>('SELECT tree_size FROM audit_checkpoint');
    const sizes = new Set(heads.map(({ tree_size: size }) => Number(size)));
    const leaves = await this.database.query<{ leaf_hash: string }>('SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index');
    const nodes: [number, number, string][] = [];
    const tree = new Frontier();
    for (const { leaf_hash: hash } of leaves) {
      tree.append(Buffer.from(hash, 'hex'), (level, index, node) => {
        if (level > 0 && level % 8 === 0) nodes.push([level, index, node.toString('hex')]);
      });
      if (tree.size <= beyond || !sizes.has(tree.size)) continue;
      const root = tree.root();
      const note = signCheckpoint({ origin: this.origin, size: tree.size, root, extensions: ['UNANCHORED'] }, [this.signer]);
      await this.sql('UPDATE audit_checkpoint SET root_hash = ?, note = ? WHERE tree_size = ?', [
        root.toString('hex'),
        Buffer.from(note, 'utf8'),
        tree.size,
      ]);
    }
    await this.sql('DELETE FROM audit_node');
    for (const node of nodes) await this.sql('INSERT INTO audit_node (level, node_index, hash) VALUES (?, ?, ?)', node);
  }
}
