import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DatabaseLocation, databaseUrlForm, parseDatabaseUrl } from '../db/location';
import { Failure } from '../failure';
import { loopbackHosts } from '../section';
import { type Environment, processEnvironment, secretValue } from './environment';
import { ConfigInvalid, type ConfigProblem } from './problems';

interface Place {
  /** Where relative paths start. */
  readonly folder: string;
  readonly dataFolder: string;
  readonly production: boolean;
}

const holdsCertificate = (path: string): boolean => {
  try {
    return readFileSync(path, 'utf8').includes('-----BEGIN CERTIFICATE-----');
  } catch {
    return false;
  }
};

const travelsInClear = (location: DatabaseLocation): boolean =>
  location.engine === 'mariadb' && location.tls === null && location.socket === null && !loopbackHosts.includes(location.host);

/** What is to be read, or what was expected of it. */
const readUrl = (url: string, place: Place): DatabaseLocation | string => {
  try {
    const location = parseDatabaseUrl(url, place.folder);
    if (location.engine === 'mariadb' && location.tls?.ca && !holdsCertificate(location.tls.ca))
      return 'ca: expected the path of a file with certificates in PEM that can be read';
    if (place.production && travelsInClear(location))
      return 'tls: expected tls=verify in production, because passwords and what is read would travel in clear; not needed with socket or a host that is this machine';
    return location;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message.replace(/^DATABASE_URL: /, '');
  }
};

/** The database of `DATABASE_URL`, the one in the data folder where there is none. What is wrong with it is noted among `problems`. */
export const databaseOf = (environment: Environment, place: Place, problems: ConfigProblem[]): DatabaseLocation => {
  const isInFile = !environment.DATABASE_URL && Boolean(environment.DATABASE_URL_FILE);
  const note = (expected: string) =>
    problems.push({ in: 'environment', at: isInFile ? 'DATABASE_URL_FILE' : 'DATABASE_URL', expected });
  const url = secretValue(environment, 'DATABASE_URL');
  const read = url ? readUrl(url, place) : null;
  if (read === null && isInFile) note('expected the path of a readable file with the URL');
  else if (read === null && place.production) note(`expected in production: ${databaseUrlForm}`);
  if (typeof read === 'string') note(read);
  return typeof read === 'string' || read === null
    ? { engine: 'sqlite', file: join(place.dataFolder, 'counterfoil.sqlite') }
    : read;
};

/** Where the database is, for tools that need nothing else of the configuration. Throws `ConfigInvalid`. */
export const databaseLocation = (environment: Environment = processEnvironment(), folder = process.cwd()): DatabaseLocation => {
  const problems: ConfigProblem[] = [];
  const dataFolder = resolve(folder, environment.DATA_DIR || '.data');
  const production = environment.NODE_ENV === 'production';
  const location = databaseOf(environment, { folder, dataFolder, production }, problems);
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return location;
};
