import { signCheckpoint } from '../../src/audit/checkpoint';
import { type EventDraft, finalizeEvent } from '../../src/audit/event';
import { csvHeader, csvRow, formatHeader, formatLeaf, formatTrailer } from '../../src/audit/export-format';
import { readLeaf } from '../../src/audit/leaf';
import { Frontier, leafHash } from '../../src/audit/merkle';
import { formatVerifierKey, generateSignerKey, verifierKeyOf } from '../../src/audit/note';

const start = Date.UTC(2026, 8, 1, 9);

const leafOf = (index: number): Buffer => {
  const draft: EventDraft = { action: 'disclosure', outcome: 'ALLOWED', actor: { id: 'act_1', kind: 'staff', roles: ['AGENT'] } };
  return finalizeEvent(draft, `atx_${index}`, 0, new Date(start + index)).leaf;
};

/** A log of so many disclosures, and what its owner makes of it. */
export class SmallLog {
  /** As it is published. */
  readonly key: string;
  private readonly leaves: readonly Buffer[];

  constructor(
    size: number,
    readonly signer = generateSignerKey('audit.example/log'),
    leaves?: readonly Buffer[],
  ) {
    this.key = formatVerifierKey(verifierKeyOf(signer));
    this.leaves = leaves ?? Array.from({ length: size }, (_, index) => leafOf(index));
  }

  private of(leaves: readonly Buffer[]): SmallLog {
    return new SmallLog(leaves.length, this.signer, leaves);
  }

  /** Rewritten by its owner: another event stands at this place. */
  with(index: number): SmallLog {
    return this.of(this.leaves.with(index, leafOf(index)));
  }

  /** Its owner put an event in again, at the end. */
  repeating(index: number): SmallLog {
    return this.of([...this.leaves, this.leaves[index] as Buffer]);
  }

  checkpoint(size = this.leaves.length): string {
    const tree = new Frontier();
    for (const leaf of this.leaves.slice(0, size)) tree.append(leafHash(leaf));
    return signCheckpoint({ origin: this.signer.name, size, root: tree.root(), extensions: [] }, [this.signer]);
  }

  /** The whole log but the leaves that are withheld. */
  export(hidden: readonly number[] = [], filter: string | null = null): Buffer {
    return Buffer.concat([
      formatHeader({ origin: this.signer.name, from: 0, to: this.leaves.length, filter, left: [] }),
      ...this.leaves.map((leaf, index) =>
        formatLeaf({ index, hash: leafHash(leaf), leaf: hidden.includes(index) ? null : leaf }),
      ),
      formatTrailer({ checkpoint: this.checkpoint(), right: [], consistency: [], anchors: [] }),
    ]);
  }

  csv(): Buffer {
    const rows = this.leaves.map((leaf, index) => csvRow(index, leafHash(leaf), readLeaf(leaf.toString('utf8'))));
    return Buffer.concat([csvHeader(), ...rows]);
  }
}
