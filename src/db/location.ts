import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { Failure } from '../failure';

/** An embedded database: SQLite. */
export interface FileLocation {
  readonly engine: 'sqlite';
  readonly file: string;
}

/** A database of a server: MariaDB or MySQL. */
export interface ServerLocation {
  readonly engine: 'mariadb';
  /** A name or an address, that of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The database's name. */
  readonly name: string;
  /** Null: in clear. The server's certificate has to name the host, and to be of a CA of this file, or, without one, of a public CA. */
  readonly tls: { readonly ca: string | null } | null;
  /** Path of the server's socket on this machine, in place of host and port. */
  readonly socket: string | null;
}

export type DatabaseLocation = FileLocation | ServerLocation;

export const databaseUrlForm = 'sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME';
const parameterNames = ['tls', 'ca', 'socket'] as const;
type ParameterName = (typeof parameterNames)[number];

const refused = (expected: string): Failure => Failure.invalid('DATABASE_URL', expected);
/** One text for every mistake before the parameters: where a character isn't written as it has to be, nobody can say which part it belongs to. */
const malformed = (): Failure =>
  refused(
    `expected ${databaseUrlForm}, on one line without blanks; within USER, PASSWORD and NAME the characters # ? / % are written %23 %3F %2F %25, and @ : %40 %3A`,
  );

// biome-ignore lint/suspicious/noControlCharactersInRegex: a line break that came along with a file is what is looked for
const control = /[\u0000-\u001f\u007f]/;

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed();
  }
};

const parametersOf = (query: string): Partial<Record<ParameterName, string>> => {
  const found: Partial<Record<ParameterName, string>> = {};
  for (const part of query === '' ? [] : query.split('&')) {
    const end = part.indexOf('=');
    const name = end === -1 ? part : part.slice(0, end);
    const known = parameterNames.find((each) => each === name);
    // What doesn't look like a name isn't repeated: it may be a piece of a password.
    if (known === undefined)
      throw refused(
        `${/^[A-Za-z][A-Za-z_-]{0,31}$/.test(name) ? `unknown parameter ${name}` : 'an unknown parameter'}, expected tls, ca or socket`,
      );
    const value = end === -1 ? '' : decoded(part.slice(end + 1));
    if (value === '' || found[known] !== undefined) throw refused(`${known}: expected one value`);
    found[known] = value;
  }
  return found;
};

const hostOf = (text: string): string => {
  const [, address] = /^\[(.*)\]$/.exec(text) ?? [];
  if (address === undefined ? /^[A-Za-z0-9._-]+$/.test(text) : isIPv6(address)) return address ?? text;
  throw malformed();
};

const portOf = (text: string | undefined): number => {
  const port = Number(text ?? '3306');
  if (port < 1 || port > 65_535) throw malformed();
  return port;
};

const serverOf = (rest: string, folder: string): ServerLocation => {
  const [before = '', ...after] = rest.split('?');
  const query = after.join('?');
  // The user's part ends at the last @ before the host, so one that comes later is of a password with a / or ? in it.
  const [, user, password = '', host, port, name] =
    /^([^:/]+)(?::([^/]*))?@([^/@:]+|\[[^/@]*\])(?::(\d{1,5}))?\/([^/@]+)$/.exec(before) ?? [];
  if (user === undefined || host === undefined || name === undefined || query.includes('@')) throw malformed();
  const location = {
    host: hostOf(host),
    port: portOf(port),
    user: decoded(user),
    password: decoded(password),
    name: decoded(name),
  };
  const { tls = 'off', ca, socket } = parametersOf(query);
  if (tls !== 'off' && tls !== 'verify') throw refused('tls: expected verify or off');
  if (ca !== undefined && tls === 'off') throw refused('ca: expected together with tls=verify only');
  if (socket !== undefined && tls === 'verify')
    throw refused('socket: expected without tls=verify, because nothing leaves this machine');
  return {
    engine: 'mariadb',
    ...location,
    tls: tls === 'off' ? null : { ca: ca === undefined ? null : resolve(folder, ca) },
    socket: socket === undefined ? null : resolve(folder, socket),
  };
};

/**
 * Reads `sqlite:PATH`, or `mysql://USER:PASSWORD@HOST:PORT/NAME` (or `mariadb://…`) with `?tls=verify&ca=PATH` or
 * `?socket=PATH`. User, password, name and paths are percent-decoded. `folder` is where relative paths start. Throws
 * `INVALID`, which repeats nothing of a value.
 */
export const parseDatabaseUrl = (url: string, folder = '.'): DatabaseLocation => {
  if (control.test(url)) throw malformed();
  const [, scheme, rest = ''] = /^(sqlite:|(?:mysql|mariadb):\/\/)(.+)$/.exec(url) ?? [];
  if (scheme === 'sqlite:') return { engine: 'sqlite', file: resolve(folder, rest) };
  if (scheme === undefined || /[#\s]/.test(rest)) throw malformed();
  return serverOf(rest, folder);
};
