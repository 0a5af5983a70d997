import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A file of keys can't be used. The message says what is accepted, never what was found. */
export class KeyFileInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyFileInvalid';
  }
}

const longestFile = 16 * 1024;

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? 'unknown');

/** What is wrong with who may read and write a file of keys; null when nothing is. */
export const faultOf = ({ mode, uid }: { readonly mode: number; readonly uid: number }, ownUid: number): string | null => {
  if ((mode & 0o027) !== 0)
    return 'others can read or write it, or its group can write it; run: chmod 600 on it, and replace the key.';
  // As the system mounts a secret, it is root's, and the group of the process may read it.
  if (uid !== 0 && uid !== ownUid)
    return 'it belongs to another user, who can replace it; it must be root’s or the gateway’s own.';
  return null;
};

/**
 * The content of a file of root's or the process's own user, which others have no right on and its group can't write (not checked
 * on Windows): an ordinary file of mode 600, or a secret as Kubernetes, Swarm and systemd mount it. Null when there is no such file.
 * The caller owns the returned memory and may zero it. Throws `KeyFileInvalid`, which says what is `accepted`.
 */
export const readKeyFile = (path: string, accepted = `at most ${longestFile} bytes of keys`): Buffer | null => {
  let file: number;
  try {
    // A named pipe in its place would block the start for ever without O_NONBLOCK.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new KeyFileInvalid(`${path}: the file can't be opened (${codeOf(error)}).`);
  }
  try {
    // Asked of the open file, not of the path: what is checked is what is read.
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new KeyFileInvalid(`${path}: must be an ordinary file.`);
    const fault = process.platform === 'win32' ? null : faultOf(stat, process.getuid?.() ?? 0);
    if (fault !== null) throw new KeyFileInvalid(`${path}: ${fault}`);
    if (stat.size > longestFile) throw new KeyFileInvalid(`${path}: ${accepted}.`);
    const content = Buffer.alloc(stat.size);
    let length = 0;
    while (length < content.length) {
      const read = readSync(file, content, length, content.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return content.subarray(0, length);
  } finally {
    closeSync(file);
  }
};

/** The complete file appears at once under its name, durably, or, when somebody else was first, theirs stays. Throws `KeyFileInvalid`. */
export const createKeyFile = (path: string, content: string): void => {
  const folder = dirname(resolve(path));
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = openSync(draft, 'wx', 0o600);
    try {
      fchmodSync(file, 0o600);
      writeSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      // Unlike a rename, a link never replaces a file that exists.
      linkSync(draft, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
    // The name must survive a power cut too: what was made with a lost key is lost.
    if (process.platform !== 'win32') {
      const directory = openSync(folder, 'r');
      try {
        fsyncSync(directory);
      } finally {
        closeSync(directory);
      }
    }
  } catch (error) {
    throw new KeyFileInvalid(`${path}: the file can't be created (${codeOf(error)}).`);
  }
};
