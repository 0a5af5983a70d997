import { Failure } from '../failure';
import type { EngineKind } from './engine';

export interface DatabaseLocation {
  readonly engine: EngineKind;
  /** SQLite: path of the file. */
  readonly file?: string;
  /** MariaDB or MySQL: `mysql://user:password@host:port/name`. */
  readonly url?: string;
}

/** Accepts `sqlite:PATH`, `mysql://…` and `mariadb://…`. */
export const parseDatabaseUrl = (url: string): DatabaseLocation => {
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) return { engine: 'sqlite', file: url.slice('sqlite:'.length) };
  if (/^(mysql|mariadb):\/\/[^/]+\/[^/?]+/.test(url)) return { engine: 'mariadb', url };
  throw Failure.invalid('DATABASE_URL', 'expected sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME');
};
