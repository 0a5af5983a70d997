import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, rmSync, type Stats, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

/** The system's bound is 107 bytes on Linux and 103 on macOS: one that fits either. */
const longestPath = 103;

/** The place of the socket is somebody else's, or another thing. */
export class SocketRefused extends Error {}

const looked = (path: string): Stats | null => {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

/** Whether only its owner may do anything with it. */
const isPrivate = ({ mode }: Stats): boolean => (mode & 0o077) === 0;

/** Beside the lock of an embedded database: the socket, or a file with its path where that would be too long. */
const besideFile = (file: string): string => `${file}.socket`;

/** What a killed gateway left goes; anything that isn't ours stays, and nothing is served. Throws `SocketRefused`. */
const removeOwn = (path: string, uid: number): void => {
  const found = looked(path);
  if (found === null) return;
  if (found.uid !== uid || !(found.isSocket() || found.isFile()))
    throw new SocketRefused(`${path} is neither a socket nor a file of this user`);
  rmSync(path);
};

const expectPrivateFolder = (folder: string, uid: number): void => {
  const found = looked(folder);
  if (!found?.isDirectory() || found.uid !== uid || !isPrivate(found))
    throw new SocketRefused(`${folder} is no folder that only this user may enter (mode 700)`);
};

/** Where a socket is listened on, and what is left to do once it is. */
export interface SocketPlace {
  readonly path: string;
  /** Leads there whoever looks beside the database. Called after it is listened on. */
  announce(): void;
  remove(): void;
}

/**
 * A free place for the socket of an embedded database, for whoever owns the database's lock, so that what is left there is
 * nobody's. Throws `SocketRefused`.
 */
export const placeForSocket = (file: string, runtimeFolder: string, uid: number): SocketPlace => {
  const beside = besideFile(file);
  removeOwn(beside, uid);
  if (Buffer.byteLength(beside) <= longestPath) return { path: beside, announce: () => {}, remove: () => {} };
  const folder = join(runtimeFolder, `counterfoil-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  expectPrivateFolder(folder, uid);
  const path = join(folder, `${createHash('sha256').update(file).digest('hex').slice(0, 16)}.socket`);
  if (Buffer.byteLength(path) > longestPath) throw new SocketRefused(`${path} is longer than ${longestPath} bytes`);
  removeOwn(path, uid);
  return {
    path,
    announce: () => writeFileSync(beside, path, { flag: 'wx', mode: 0o600 }),
    remove: () => rmSync(beside, { force: true }),
  };
};

/**
 * Where the owner of an embedded database takes commands; null where nothing is. What is there must be the database
 * owner's, and nobody else's to enter. Throws `SocketRefused`.
 */
export const findSocket = (file: string): string | null => {
  const { uid } = lstatSync(file);
  const beside = besideFile(file);
  const found = looked(beside);
  if (found === null) return null;
  if (found.uid !== uid || !isPrivate(found)) throw new SocketRefused(`${beside} isn't what the owner of ${file} makes`);
  if (found.isSocket()) return beside;
  if (!found.isFile() || found.size > longestPath) throw new SocketRefused(`${beside} is no socket`);
  const path = readFileSync(beside, 'utf8');
  if (!isAbsolute(path)) throw new SocketRefused(`${beside} leads to no socket`);
  expectPrivateFolder(dirname(path), uid);
  const there = looked(path);
  if (there === null) return null;
  if (!there.isSocket() || there.uid !== uid || !isPrivate(there)) throw new SocketRefused(`${path} is no socket of the owner`);
  return path;
};
