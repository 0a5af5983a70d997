import { PrivateMariaDb } from './mariadb';

declare global {
  var privateMariaDb: PrivateMariaDb | undefined;
}

/** Starts a private server unless TEST_DATABASE_URL names one whose user may create databases. */
export default async (): Promise<void> => {
  if (process.env.TEST_DATABASE_URL) {
    process.env.MARIADB_SERVER_URL = process.env.TEST_DATABASE_URL.replace(/^mariadb:/, 'mysql:').replace(
      /(:\/\/[^/]+).*$/,
      '$1',
    );
    return;
  }
  globalThis.privateMariaDb = await PrivateMariaDb.start();
  process.env.MARIADB_SERVER_URL = globalThis.privateMariaDb.serverUrl;
  process.env.MARIADB_DATA_FOLDER = globalThis.privateMariaDb.dataFolder;
};
