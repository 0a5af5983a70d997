import { type FileHandle, open } from 'node:fs/promises';
import { type Checkpoint, parseCheckpoint } from '../audit/checkpoint';
import { NoteInvalid, parseNote } from '../audit/note';
import { type Anchor, type AnchorAnswer, AnchorUnavailable, type Submission } from './anchor';

/** Bytes at the end of the file that are looked at: dozens of checkpoints. */
const tailBytes = 64 * 1024;

interface Kept {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** A checkpoint has no empty line in its text or among its signatures, so blocks between empty lines are texts and signatures in turn. */
const keptIn = (text: string): readonly Kept[] => {
  const blocks = text.split('\n\n').map((block) => block.replace(/^\n+|\n+$/g, ''));
  return blocks.flatMap((block, index) => {
    const note = `${block}\n\n${blocks[index + 1] ?? ''}\n`;
    try {
      return [{ note, checkpoint: parseCheckpoint(parseNote(note).text) }];
    } catch (error) {
      if (error instanceof NoteInvalid) return [];
      throw error;
    }
  });
};

const tailOf = async (file: FileHandle): Promise<string> => {
  const { size } = await file.stat();
  const length = Math.min(size, tailBytes);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8');
};

/**
 * A file that the checkpoints of one log are appended to: signed notes, an empty line between two. It is an anchor where its place keeps
 * it from being rewritten: another machine's append-only share, a medium that is written once.
 */
export class FileAnchor implements Anchor {
  constructor(
    readonly name: string,
    private readonly path: string,
  ) {}

  async submit({ checkpoint }: Submission): Promise<AnchorAnswer> {
    try {
      const { latest, ends } = await this.look(checkpoint.origin);
      if (latest && latest.checkpoint.size > checkpoint.size) return { kind: 'OTHER_SIZE', size: latest.checkpoint.size };
      if (latest && latest.checkpoint.size === checkpoint.size)
        return latest.checkpoint.root.equals(checkpoint.root) ? { kind: 'TAKEN', note: latest.note } : { kind: 'CONTRADICTED' };
      const file = await open(this.path, 'a', 0o644);
      try {
        // What a device or a pipe takes is kept nowhere.
        if (!(await file.stat()).isFile()) throw new AnchorUnavailable(this.name, 'refused');
        await file.appendFile(`${ends}${checkpoint.note}`);
        await file.sync();
      } finally {
        await file.close();
      }
      return { kind: 'TAKEN', note: checkpoint.note };
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  /** The last checkpoint of this log that the file has. Throws `AnchorUnavailable`. */
  async latest(origin: string): Promise<Kept | null> {
    return (await this.look(origin)).latest;
  }

  /** What the file has of this log, and what ends what is there, be it half written, before another note. */
  private async look(origin: string): Promise<{ latest: Kept | null; ends: string }> {
    let file: FileHandle;
    try {
      file = await open(this.path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { latest: null, ends: '' };
      throw this.unavailable(error);
    }
    try {
      const tail = await tailOf(file);
      const kept = keptIn(tail).filter(({ checkpoint }) => checkpoint.origin === origin);
      return {
        latest: kept.reduce<Kept | null>(
          (last, each) => (last && last.checkpoint.size > each.checkpoint.size ? last : each),
          null,
        ),
        ends: tail === '' ? '' : tail.endsWith('\n') ? '\n' : '\n\n',
      };
    } finally {
      await file.close();
    }
  }

  private unavailable(error: unknown): unknown {
    return (error as NodeJS.ErrnoException).code === undefined ? error : new AnchorUnavailable(this.name, 'unreachable');
  }
}
