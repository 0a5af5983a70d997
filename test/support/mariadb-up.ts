import { PrivateMariaDb } from './mariadb';
import { makeScratch } from './scratch';

declare global {
  var privateMariaDb: PrivateMariaDb | undefined;
}

/** Nothing outlives the run, so nothing has to survive a power cut. What the gateway asks for itself it still gets. */
const unsafe = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--innodb-buffer-pool-size=256M',
  '--innodb-log-file-size=64M',
  '--innodb-stats-persistent=0',
];

/** Starts a private server unless TEST_DATABASE_URL names one whose user may create databases. */
export default async (): Promise<void> => {
  makeScratch();
  if (process.env.TEST_DATABASE_URL) {
    process.env.MARIADB_SERVER_URL = process.env.TEST_DATABASE_URL.replace(/^mariadb:/, 'mysql:').replace(
      /(:\/\/[^/]+).*$/,
      '$1',
    );
    return;
  }
  globalThis.privateMariaDb = await PrivateMariaDb.start(unsafe);
  process.env.MARIADB_SERVER_URL = globalThis.privateMariaDb.serverUrl;
  process.env.MARIADB_DATA_FOLDER = globalThis.privateMariaDb.dataFolder;
};
