import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { BuiltGateway, type Running } from '../support/built';

let built: BuiltGateway;
let key: string;
const environment = { DATA_DIR: 'log' };
const file = (name: string) => join(built.folder, name);
const run = (args: readonly string[], more: Record<string, string> = {}) => built.run(args, { ...environment, ...more });

const stop = async (gateway: Running) => {
  gateway.child.kill('SIGTERM');
  return gateway.finished;
};

/** A gateway that shows something to somebody, and signs it. */
beforeAll(async () => {
  built = BuiltGateway.make();
  const gateway = built.start(environment);
  const [, address] = await gateway.said(/(http:\/\/127\.0\.0\.1:\d+)\/ /);
  await gateway.said(/Started in /);
  const ask = async (user: string, query: string) => {
    const token = (await run(['token', '--user', user])).stdout.trim();
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { data: Record<string, { treeSize?: number; totalCount?: number } | null> };
  };
  await ask('ana', '{ ticketByReference(source: "demo", reference: "1001") { subject customer { email } } }');
  const disclosures = '{ auditEvents(filter: { action: "disclosure" }) { totalCount } }';
  // The sequencer gives what was shown its place within a second.
  while (((await ask('ada', disclosures)).data.auditEvents?.totalCount ?? 0) < 1);
  await stop(gateway);
  key = (await run(['audit', 'key'])).stdout.trim();
}, 180_000);
afterAll(() => built.remove());

describe('counterfoil audit', () => {
  it('prints the public key, which checks what it exports', async () => {
    expect(key).toMatch(/^counterfoil\.invalid\/development\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/);
    const exported = await run(['audit', 'export', '--out', 'log.ndjson']);
    expect({ code: exported.code, stdout: exported.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Leaves 0 to \d+ /),
    });
    const { code, stdout } = await run(['audit', 'verify', 'log.ndjson', '--key', key]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/complete to CHECKPOINT[\s\S]*UNANCHORED/) });
    const text = readFileSync(file('log.ndjson'), 'utf8');
    writeFileSync(file('edited.ndjson'), text.replace('"action":"disclosure"', '"action":"nothing"'));
    expect((await run(['audit', 'verify', 'edited.ndjson', '--key', key])).code).not.toBe(0);
    // To stdout, for a pipe; progress stays on stderr.
    const piped = await run(['audit', 'export', '--from', '2000-01-01', '--to', '2000-01-02']);
    expect(piped.stdout.split('\n').filter((line) => line !== '')).toHaveLength(2);
  });

  it('verifies by the key file of development where no key is given, says so, and without any says that', async () => {
    const { code, stdout } = await run(['audit', 'verify', 'log.ndjson']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/key in .*audit-signing-key.*development only/) });
    expect(await run(['audit', 'verify', 'log.ndjson'], { DATA_DIR: 'nowhere' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/No public key .*--key/),
    });
    const all = await run(['audit', 'key', '--all']);
    expect(all).toMatchObject({ code: 0, stdout: `${key}\n`, stderr: expect.stringContaining('development only') });
  });

  it('exports CSV with the manifest beside it', async () => {
    expect(await run(['audit', 'export', '--format', 'csv'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('--out'),
    });
    const { code, stdout } = await run(['audit', 'export', '--format', 'csv', '--out', 'log.csv', '--json']);
    expect({ code, summary: JSON.parse(stdout) }).toMatchObject({ code: 0, summary: { from: 0, withheld: 0, out: 'log.csv' } });
    expect(await run(['audit', 'verify', 'log.csv', '--key', key])).toMatchObject({ code: 0 });
    writeFileSync(file('log.csv'), readFileSync(file('log.csv'), 'utf8').replace('disclosure', 'nothing'));
    expect((await run(['audit', 'verify', 'log.csv', '--key', key])).code).not.toBe(0);
  });

  it('exports what is about one customer, and hides nothing by that', async () => {
    const database = new Sqlite(file('log/counterfoil.sqlite'), { readonly: true });
    const { id } = database.prepare('SELECT customer_id AS id FROM audit_customer LIMIT 1').get() as { id: string };
    database.close();
    const { code } = await run(['audit', 'export', '--customer', id, '--out', 'customer.ndjson']);
    expect(code).toBe(0);
    const verified = await run(['audit', 'verify', 'customer.ndjson', '--key', key]);
    expect({ code: verified.code, stdout: verified.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/[1-9]\d* withheld/),
    });
    expect(await run(['audit', 'export', '--customer', 'cus_absent'])).toMatchObject({ code: 1, stdout: '' });
  });

  it('reports what was revealed, masked and denied', async () => {
    const year = ['--from', '2020-01-01', '--to', '2120-01-01'];
    const { code, stdout } = await run(['audit', 'report', ...year]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/UNANCHORED[\s\S]*\| AGENT \| Customer\.email \| PAYMENT\\_QUESTION \| 0 \| 1 \| 0 \|/),
    });
    expect((await run(['audit', 'report', ...year, '--format', 'csv'])).stdout).toContain(
      '"AGENT","Customer.email","PAYMENT_QUESTION","0","1","0"',
    );
    expect(await run(['audit', 'report', '--from', 'yesterday', '--to', '2026-01-01'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('2026-09-01'),
    });
  });

  it('looks through what is stored with doctor, and finds what was altered', async () => {
    const fine = await run(['doctor', '--no-sources']);
    expect({ code: fine.code, stdout: fine.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/all of it is what was signed/),
    });
    const database = new Sqlite(file('log/counterfoil.sqlite'));
    database.prepare("UPDATE audit_event SET actor_id = 'act_else' WHERE action = 'policy.in-force'").run();
    const found = await run(['doctor', '--no-sources', '--json']);
    database.prepare("UPDATE audit_event SET actor_id = 'system:start' WHERE action = 'policy.in-force'").run();
    database.close();
    expect({ code: found.code, report: JSON.parse(found.stdout) }).toEqual({
      code: 1,
      report: { ok: false, findings: [{ about: 'log', message: expect.stringMatching(/^leaf \d+: .*actor_id/) }] },
    });
    expect(await run(['doctor', '--print-grants'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no users') });
    expect(await run(['doctor', '--no-sources', '--record', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"ok":true,"findings":[]}\n',
    });
    const after = new Sqlite(file('log/counterfoil.sqlite'), { readonly: true });
    const [recorded] = after.prepare("SELECT actor_id FROM audit_event WHERE action = 'installation.examine'").all();
    after.close();
    expect(recorded).toEqual({ actor_id: 'system:command-line' });
  });

  it('finds with doctor, and refuses at the start, a log whose end was cut off, together with all that says so', async () => {
    const kept = readFileSync(file('log/counterfoil.sqlite'));
    const database = new Sqlite(file('log/counterfoil.sqlite'));
    const { size } = database.prepare('SELECT COUNT(*) AS size FROM audit_leaf').get() as { size: number };
    const left = size - 3;
    database.exec(`
      DELETE FROM audit_checkpoint WHERE tree_size > ${left};
      DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE leaf_index >= ${left});
      DELETE FROM audit_node WHERE level = 8 AND (node_index + 1) * 256 > ${left};
      DELETE FROM audit_leaf WHERE leaf_index >= ${left};
    `);
    database.close();
    const doctor = await run(['doctor', '--no-sources']);
    expect({ code: doctor.code, stdout: doctor.stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(new RegExp(`\\(TRUNCATED\\)[\\s\\S]*${left} leaves[\\s\\S]*over ${size}`)),
    });
    const { code, stderr } = await built.start(environment).finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/\(TRUNCATED\)[\s\S]*audit fork/) });
    writeFileSync(file('log/counterfoil.sqlite'), kept);
    expect(await run(['doctor', '--no-sources'])).toMatchObject({ code: 0 });
  });

  it('goes on under a new name after a restore, and refuses to without', async () => {
    writeFileSync(
      file('forked.yaml'),
      'sources:\n  helpdesk: [{ kind: demo, name: demo }]\n  payments: [{ kind: demo, name: demo-pay, helpdesk: demo }]\naudit: { origin: log.example.com/second }\n',
    );
    const renamed = { CONFIG_FILE: 'forked.yaml' };
    const refused = await run(['sync'], renamed);
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/audit fork/) });
    expect(await run(['audit', 'fork'], renamed)).toMatchObject({ code: 1, stderr: expect.stringContaining('--checkpoint') });
    const forked = await run(['audit', 'fork', '--no-checkpoint', '--json'], renamed);
    expect({ code: forked.code, result: JSON.parse(forked.stdout) }).toMatchObject({
      code: 0,
      result: { origin: 'log.example.com/second', previous: 'counterfoil.invalid/development', missing: 0 },
    });
    expect(await run(['doctor', '--no-sources'], renamed)).toMatchObject({ code: 0 });
    // As after a crash between the name and its first head.
    const database = new Sqlite(file('log/counterfoil.sqlite'));
    database.prepare("DELETE FROM audit_checkpoint WHERE origin = 'log.example.com/second'").run();
    database.close();
    expect(await run(['doctor', '--no-sources'], renamed)).toMatchObject({ code: 1 });
    expect(await run(['audit', 'fork'], renamed)).toMatchObject({ code: 0, stdout: expect.stringContaining('already') });
    expect(await run(['doctor', '--no-sources'], renamed)).toMatchObject({ code: 0 });
  });

  it('forks from what the mark knows, and doesn’t take a database that was put back for a fork that was cut off', async () => {
    const mark = file('third.mark');
    writeFileSync(mark, readFileSync(file('log/counterfoil.sqlite.mark')));
    writeFileSync(
      file('third.yaml'),
      `sources:\n  helpdesk: [{ kind: demo, name: demo }]\n  payments: [{ kind: demo, name: demo-pay, helpdesk: demo }]\naudit: { origin: log.example.com/third, mark: ${mark} }\n`,
    );
    const renamed = { CONFIG_FILE: 'third.yaml' };
    const { code, stdout } = await run(['audit', 'fork', '--json'], renamed);
    const { size } = JSON.parse(stdout) as { size: number };
    expect({ code, result: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      result: { origin: 'log.example.com/third', previous: 'log.example.com/second', missing: 0 },
    });
    const backup = readFileSync(file('log/counterfoil.sqlite'));
    const gateway = built.start({ ...environment, ...renamed });
    await gateway.said(/Started in /);
    // What is signed next is marked within a second.
    while (Number(readFileSync(mark, 'utf8').split('\n')[1]) <= size) await sleep(50);
    await stop(gateway);
    const marked = readFileSync(mark, 'utf8');
    expect(marked).toMatch(/^log\.example\.com\/third\n/);
    writeFileSync(file('log/counterfoil.sqlite'), backup);
    expect(await run(['audit', 'fork'], renamed)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/put back.*never used/),
    });
    expect(readFileSync(mark, 'utf8')).toBe(marked);
  });

  it('says what it takes', async () => {
    const { code, stdout } = await built.run(['audit', '--help']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/sequence.*key.*export.*report.*fork.*verify/s) });
  });
});
