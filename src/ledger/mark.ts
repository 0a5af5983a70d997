import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, open, readdir, readFile, readlink, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../audit/checkpoint';
import { NoteInvalid, parseNote, type VerifierKey } from '../audit/note';
import { LogBroken } from './log-broken';
import { MarkUnavailable } from './mark-unavailable';

/** Where a signer keeps its high-water mark. */
export interface MarkPlace {
  readonly file: string;
  /** The file of development, beside the database: it is made where it is missing, whatever is stored. */
  readonly isDefault: boolean;
}

/** A checkpoint as the mark has it. */
export interface Marked extends Checkpoint {
  readonly note: string;
}

/** A file is written within milliseconds; one that is a temporary still after so many is nobody's. */
const leftOverAfter = 3_600_000;
/** What follows the mark's name in a temporary's: process id and twelve random digits. */
const temporaryEnd = /^\.\d+\.[0-9a-f]{12}$/;

/** Null where it has gone meanwhile. */
const unlessGone = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

/** Takes away what a process that ended while it wrote left beside the mark: its own user's files, under its names, that nobody writes any more. */
const clearLeftOver = async (place: string): Promise<void> => {
  const folder = dirname(place);
  const name = basename(place);
  for (const file of await readdir(folder)) {
    if (!file.startsWith(name) || !temporaryEnd.test(file.slice(name.length))) continue;
    const path = join(folder, file);
    const found = await unlessGone(lstat(path));
    const isOurs = found?.isFile() === true && found.uid === process.getuid?.();
    if (isOurs && Date.now() - found.mtimeMs > leftOverAfter) await unlessGone(unlink(path));
  }
};

const synced = async (file: FileHandle): Promise<void> => {
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Where a file is that a symbolic link may stand for, also while it isn't there: what takes its place takes it there, and not the link's. */
const behindLinks = async (file: string, links = 8): Promise<string> => {
  try {
    const target = resolve(dirname(file), await readlink(file));
    return links > 0 ? await behindLinks(target, links - 1) : target;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EINVAL' || code === 'ENOENT') return file;
    throw error;
  }
};

/**
 * The high-water mark: a file with the largest checkpoint that a signer knows of, which is outside the database and not for publishing. A
 * stored log that is shorter went back. Written after a checkpoint commits and before anybody is told of it, so after a crash it
 * may be older than the log, and is never newer.
 */
export class Mark {
  private size = -1;
  private writing: Promise<void> = Promise.resolve();

  constructor(readonly place: MarkPlace) {}

  /** Null where there is none. Throws `MarkUnavailable`, and `LogBroken` for a file that is no checkpoint. */
  async read(): Promise<Marked | null> {
    let note: string;
    try {
      note = await readFile(this.place.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw this.unavailable(error);
    }
    try {
      return { ...parseCheckpoint(parseNote(note).text), note };
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
      throw unproven(this.place.file);
    }
  }

  /**
   * Writes what is there once more, or a file that is taken away again: whether a mark can be kept. What earlier writers left half done
   * is taken away. Throws `MarkUnavailable`.
   */
  async prove(): Promise<void> {
    const marked = await this.read();
    if (marked) await this.write(marked.note);
    else await this.made('', unlink);
    try {
      await clearLeftOver(await behindLinks(this.place.file));
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  /**
   * Sees to it that the mark is at least this checkpoint, which one of `keys` signed. Throws `MarkUnavailable`, and `LogBroken` where it
   * isn't signed or the file has another log's.
   */
  async cover({ note, size, origin }: Pick<Marked, 'note' | 'size' | 'origin'>, keys: readonly VerifierKey[]): Promise<void> {
    this.writing = this.writing
      .catch(() => {})
      .then(async () => {
        if (size <= this.size) return;
        expectSigned({ note, size, origin }, keys);
        // Another process may keep the same file.
        const marked = await this.read();
        if (marked && marked.origin !== origin) throw otherLog(this.place.file, marked.origin);
        if (!marked || marked.size < size) await this.write(note);
        this.size = Math.max(size, marked?.size ?? 0);
      });
    return this.writing;
  }

  /** Puts this checkpoint there whatever was: for a log that goes on under a new name. Throws `MarkUnavailable`. */
  async replace({ note, size }: Pick<Marked, 'note' | 'size'>): Promise<void> {
    await this.write(note);
    this.size = size;
  }

  private write(note: string): Promise<void> {
    return this.made(note, rename);
  }

  /** A whole file appears or none does, and it is on the disk afterwards. */
  private async made(content: string, put: (temporary: string, place: string) => Promise<void>): Promise<void> {
    try {
      const place = await behindLinks(this.place.file);
      const temporary = `${place}.${process.pid}.${randomBytes(6).toString('hex')}`;
      const file = await open(temporary, 'wx', 0o644);
      try {
        await file.writeFile(content);
        await synced(file);
        await put(temporary, place);
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
      await synced(await open(dirname(place), 'r'));
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  private unavailable(error: unknown): unknown {
    const { code } = error as NodeJS.ErrnoException;
    return code === undefined ? error : new MarkUnavailable(this.place.file, code);
  }
}

const expectSigned = ({ note, size, origin }: Pick<Marked, 'note' | 'size' | 'origin'>, keys: readonly VerifierKey[]): void => {
  try {
    const opened = openCheckpoint(note, keys);
    if (opened.size === size && opened.origin === origin) return;
  } catch (error) {
    if (!(error instanceof NoteInvalid)) throw error;
  }
  throw new LogBroken('UNSIGNED', `The checkpoint of size ${size} isn't one that a known key of this log signed.`);
};

export const unproven = (file: string): LogBroken =>
  new LogBroken(
    'UNPROVEN_MARK',
    `The mark ${file} isn't a checkpoint that a known key of this log signed.`,
    'Where keys were rotated, give the old one too (audit.keys). Otherwise find out who wrote there; a copy of another signer’s mark can take its place.',
  );

export const otherLog = (file: string, name: string): LogBroken =>
  new LogBroken(
    'UNPROVEN_MARK',
    `The mark ${file} is of the log ${name}.`,
    'Each log has a mark of its own. After a fork take a copy of the mark of the signer that forked.',
  );
