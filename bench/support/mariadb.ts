import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createConnection } from 'mysql2/promise';

const programPath = (...names: readonly string[]): string => {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error(`none of ${names.join(', ')} is on this machine`);
};

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });

/** A private MariaDB with its own data directory and port, durable like a production server unless `extra` options say otherwise. */
export class PrivateMariaDb {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    /** `mysql://…` without a database's name. */
    readonly serverUrl: string,
  ) {}

  static async start(extra: readonly string[] = []): Promise<PrivateMariaDb> {
    const folder = mkdtempSync(join(tmpdir(), 'counterfoil-mariadb-'));
    const datadir = join(folder, 'data');
    // A server that starts removes everybody's temporary tables from the folder that it shares with them.
    const env = { ...process.env, TMPDIR: folder };
    const asUser = process.getuid?.() === 0 ? ['--user=root'] : [];
    execFileSync(
      programPath('mariadb-install-db', 'mysql_install_db'),
      ['--no-defaults', `--datadir=${datadir}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...asUser],
      { stdio: 'pipe', env },
    );
    const port = await freePort();
    const child = spawn(
      programPath('mariadbd'),
      [
        '--no-defaults',
        `--datadir=${datadir}`,
        `--socket=${join(folder, 'sock')}`,
        `--pid-file=${join(folder, 'pid')}`,
        `--log-error=${join(folder, 'error.log')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--innodb-flush-log-at-trx-commit=1',
        '--max-connections=400',
        '--skip-name-resolve',
        ...asUser,
        ...extra,
      ],
      { stdio: 'ignore', env },
    );
    const server = new PrivateMariaDb(child, folder, `mysql://root@127.0.0.1:${port}`);
    for (let attempt = 0; attempt < 150; attempt += 1) {
      try {
        // By the socket: the server may take nothing but TLS from elsewhere.
        const connection = await createConnection({ user: 'root', socketPath: server.socket });
        await connection.end();
        return server;
      } catch {
        if (child.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    const log = existsSync(join(folder, 'error.log')) ? readFileSync(join(folder, 'error.log'), 'utf8').slice(-2_000) : '';
    await server.stop();
    throw new Error(`MariaDB did not start:\n${log}`);
  }

  /** Ends the server and removes its files. */
  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((resolve) => this.process.once('exit', resolve));
      this.process.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  get processId(): number {
    return this.process.pid ?? 0;
  }

  /** The server's socket on this machine. */
  get socket(): string {
    return join(this.folder, 'sock');
  }

  /** Where the raw files lie, for tests that look into them. */
  get dataFolder(): string {
    return join(this.folder, 'data');
  }
}

/** Makes an empty database on a server and returns its URL, with what drops it again. */
export const newDatabase = async (serverUrl: string): Promise<{ url: string; name: string; drop: () => Promise<void> }> => {
  const name = `cf_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const run = async (sql: string) => {
    const connection = await createConnection(serverUrl);
    await connection.query(sql);
    await connection.end();
  };
  await run(`CREATE DATABASE ${name}`);
  return { url: `${serverUrl.replace(/\/+$/, '')}/${name}`, name, drop: () => run(`DROP DATABASE IF EXISTS ${name}`) };
};

/** Makes a user of a server without a password, who may do everything in one database; the URL of that database for them. */
export const newUser = async (databaseUrl: string, user: string): Promise<string> => {
  const connection = await createConnection(databaseUrl);
  await connection.query(`CREATE USER '${user}'@'%'`);
  await connection.query(`GRANT ALL ON ${new URL(databaseUrl).pathname.slice(1)}.* TO '${user}'@'%'`);
  await connection.end();
  return databaseUrl.replace(/\/\/[^@]+@/, `//${user}@`);
};
