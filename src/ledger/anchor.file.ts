import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type Checkpoint, parseCheckpoint } from '../audit/checkpoint';
import { NoteInvalid, parseNote } from '../audit/note';
import { type Anchor, type AnchorAnswer, AnchorUnavailable, type Submission } from './anchor';

/** Bytes at the end of the file that are looked at: dozens of checkpoints. */
const tailBytes = 64 * 1024;

/** A checkpoint as a file has it. */
export interface KeptCheckpoint {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/**
 * A checkpoint has no empty line in its text or among its signatures, so blocks between empty lines are texts and signatures in turn. A last line
 * without its end was half written, on a disk that was full say: it is no checkpoint.
 */
const keptIn = (text: string): readonly KeptCheckpoint[] => {
  const blocks = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n\n')
    .map((block) => block.replace(/^\n+|\n+$/g, ''));
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
  /** Bytes that the file had when this process last saw it. */
  private length = 0;

  constructor(
    readonly name: string,
    private readonly path: string,
  ) {}

  async submit({ from, checkpoint }: Submission): Promise<AnchorAnswer> {
    try {
      const { latest, ends } = await this.look(checkpoint.origin);
      if ((latest?.checkpoint.size ?? 0) < from) return { kind: 'OTHER_SIZE', size: latest?.checkpoint.size ?? 0 };
      if (latest && latest.checkpoint.size > checkpoint.size) return { kind: 'OTHER_SIZE', size: latest.checkpoint.size };
      if (latest && latest.checkpoint.size === checkpoint.size)
        return latest.checkpoint.root.equals(checkpoint.root) ? { kind: 'TAKEN', note: latest.note } : { kind: 'CONTRADICTED' };
      // A file that is gone isn't made anew: what it had is missing.
      const make = latest === null ? constants.O_CREAT : 0;
      const file = await open(this.path, constants.O_WRONLY | constants.O_APPEND | make, 0o644);
      try {
        // What a device or a pipe takes is kept nowhere.
        if (!(await file.stat()).isFile()) throw new AnchorUnavailable(this.name, 'refused');
        await file.appendFile(`${ends}${checkpoint.note}`);
        await file.sync();
        this.length = (await file.stat()).size;
      } finally {
        await file.close();
      }
      return { kind: 'TAKEN', note: checkpoint.note };
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  /** The last checkpoint of this log that the file has. Throws `AnchorUnavailable`. */
  async latest(origin: string): Promise<KeptCheckpoint | null> {
    return (await this.look(origin)).latest;
  }

  /** Whether the file has grown shorter, or gone, since this process last saw it. Throws `AnchorUnavailable`. */
  async hasShrunk(): Promise<boolean> {
    try {
      const { size } = await stat(this.path);
      if (size < this.length) return true;
      this.length = size;
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.length > 0;
      throw this.unavailable(error);
    }
  }

  /** The sizes of those of these checkpoints that the file doesn't have. Reads it from its beginning until it has seen all. Throws `AnchorUnavailable`. */
  async missing(taken: readonly Checkpoint[]): Promise<readonly number[]> {
    const headOf = ({ origin, size, root }: Checkpoint) => `${origin}\n${size}\n${root.toString('base64')}`;
    const wanted = new Map(taken.map((checkpoint) => [headOf(checkpoint), checkpoint.size]));
    if (wanted.size === 0) return [];
    let file: FileHandle;
    try {
      file = await open(this.path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [...wanted.values()];
      throw this.unavailable(error);
    }
    try {
      let [first, second] = ['', ''];
      for await (const line of file.readLines()) {
        wanted.delete(`${first}\n${second}\n${line}`);
        if (wanted.size === 0) break;
        [first, second] = [second, line];
      }
      return [...wanted.values()];
    } catch (error) {
      throw this.unavailable(error);
    } finally {
      await file.close();
    }
  }

  /** What the file has of this log, and what ends what is there, be it half written, before another note. */
  private async look(origin: string): Promise<{ latest: KeptCheckpoint | null; ends: string }> {
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
        latest: kept.reduce<KeptCheckpoint | null>(
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
