import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { BuiltGateway, type Running } from '../support/built';

/** Commands beside a gateway that runs on the embedded database, as the README starts it. */
let built: BuiltGateway;
let gateway: Running;
let key: string;
const environment = { DATA_DIR: 'data' };
const file = (name: string) => join(built.folder, name);
const run = (args: readonly string[], more: Record<string, string> = {}) => built.run(args, { ...environment, ...more });

beforeAll(async () => {
  built = BuiltGateway.make();
  gateway = built.start(environment);
  await gateway.said(/Started in /);
  key = (await run(['audit', 'key'])).stdout.trim();
}, 180_000);
afterAll(() => built.remove());

describe('beside a running gateway, what only reads has a snapshot', () => {
  it('doctor looks through the log, and asks about the sources', async () => {
    expect(await run(['doctor'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/all of it is what was signed[\s\S]*sources: no link field/),
    });
  });

  it('doctor finds what was altered under the gateway’s feet', async () => {
    const database = new Sqlite(file('data/counterfoil.sqlite'), { timeout: 10_000 });
    database.prepare("UPDATE audit_event SET actor_id = 'act_else' WHERE action = 'policy.in-force'").run();
    const found = await run(['doctor', '--json']);
    database.prepare("UPDATE audit_event SET actor_id = 'system:start' WHERE action = 'policy.in-force'").run();
    database.close();
    expect({ code: found.code, report: JSON.parse(found.stdout) }).toEqual({
      code: 1,
      report: { ok: false, findings: [{ about: 'log', message: expect.stringMatching(/^leaf \d+: .*actor_id/) }] },
    });
  });

  it('the report and the keys that the log names are read', async () => {
    const year = ['--from', '2020-01-01', '--to', '2120-01-01'];
    expect(await run(['audit', 'report', ...year])).toMatchObject({ code: 0, stdout: expect.stringContaining('UNANCHORED') });
    expect(await run(['audit', 'key', '--all'])).toMatchObject({ code: 0, stdout: `${key}\n` });
  });

  it('migrate says that the tables are up to date, or to stop it first', async () => {
    expect(await run(['migrate'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/up to date/) });
    const database = new Sqlite(file('data/counterfoil.sqlite'), { timeout: 10_000 });
    const newest = database.prepare('SELECT * FROM schema_migration ORDER BY timestamp DESC LIMIT 1').get() as {
      id: number;
      name: string;
      timestamp: number;
    };
    database.prepare('DELETE FROM schema_migration WHERE id = ?').run(newest.id);
    const refused = await run(['migrate']);
    database.prepare('INSERT INTO schema_migration (id, name, timestamp) VALUES (@id, @name, @timestamp)').run(newest);
    database.close();
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^A migration is missing, and .* is in use by process \d+\. Stop it first/),
    });
  });

  it('policy and verify ask for nobody', async () => {
    expect(await run(['policy', 'check'])).toMatchObject({ code: 0 });
  });
});
