import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { longestRequest, type Outcome, proofName, readChallenge, readFrames, readOutcome } from '../../src/cli/command-protocol';
import { takeOwnership } from '../../src/db/owner-lock';
import { BuiltGateway, type Running } from '../support/built';
import { StripeShapedServer } from '../support/stripe-shaped-server';

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

  it('doctor has the gateway put on record how much it found, where it is asked to', async () => {
    const recorded = () => {
      const database = new Sqlite(file('data/counterfoil.sqlite'), { timeout: 10_000, readonly: true });
      const rows = database.prepare("SELECT leaf FROM audit_event WHERE action = 'installation.examine'").all() as {
        leaf: Buffer;
      }[];
      database.close();
      return rows.map(({ leaf }) => JSON.parse(leaf.toString('utf8')));
    };
    expect(recorded()).toEqual([]);
    expect(await run(['doctor', '--record', '--no-sources'])).toMatchObject({ code: 0 });
    expect(recorded()).toMatchObject([
      {
        actor: { id: `operator:${process.getuid?.()}`, kind: 'system' },
        detail: { log: 0, grants: 0, server: 0, operations: 0, sources: null },
        subject: { type: 'Examination' },
      },
    ]);
  });

  it('doctor asks whether the lists are there that holds are put into', async () => {
    const stripe = await StripeShapedServer.start();
    const config = file('with-lists.yaml');
    writeFileSync(
      config,
      `sources:
  helpdesk: [{ kind: demo, name: demo }]
  payments:
    - { kind: stripe, name: stripe, apiKey: '\${STRIPE_KEY}', url: 'http://127.0.0.1:${stripe.port}', radarLists: { block: blocked } }
`,
    );
    const look = async () => {
      const { stdout } = await run(['doctor', '--json'], { CONFIG_FILE: config, STRIPE_KEY: stripe.apiKey });
      return JSON.parse(stdout).findings.filter(({ message }: { message: string }) => message.startsWith('stripe: '));
    };
    try {
      expect(await look()).toMatchObject([
        { about: 'sources', message: expect.stringContaining('the list blocked (there is none') },
      ]);
      stripe.denied = [/radar/];
      expect(await look()).toMatchObject([{ message: expect.stringContaining('write permission for Radar’s lists') }]);
      stripe.recover();
      stripe.createValueList('blocked', 'customer_id');
      expect(await look()).toEqual([]);
    } finally {
      await stripe.close();
    }
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

  it('the rules are tried over the signals that are stored', async () => {
    const tried = await run(['rules', 'test']);
    expect({ code: tried.code, stderr: tried.stderr }).toEqual({ code: 0, stderr: '' });
    expect(Number(/^([\d,]+) signals\./.exec(tried.stdout)?.[1]?.replaceAll(',', ''))).toBeGreaterThan(100);
    const later = await run(['rules', 'test', '--json', '--from', '2120-01-01']);
    expect(later).toMatchObject({ code: 0, stdout: '' });
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

const uid = process.getuid?.() as number;
const socketPath = () => file('data/counterfoil.sqlite.socket');
const exportRequest = {
  command: 'audit export',
  from: null,
  to: null,
  format: 'ndjson',
  customer: null,
  since: [],
  isTerminal: false,
};
const restart = async (more: Record<string, string> = {}): Promise<void> => {
  gateway = built.start({ ...environment, ...more });
  await gateway.said(/Started in /);
};
const stopped = async (signal: NodeJS.Signals = 'SIGTERM') => {
  gateway.child.kill(signal);
  return gateway.finished;
};

describe('beside a running gateway, what is recorded goes through it', () => {
  it('the socket is its owner’s alone', () => {
    const { mode, uid: owner } = lstatSync(socketPath());
    expect({ mode: mode & 0o777, owner }).toEqual({ mode: 0o600, owner: uid });
  });

  it('an export is what it would be otherwise, and the log names the user who took it', async () => {
    const exported = await run(['audit', 'export', '--out', 'log.ndjson']);
    expect(exported).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Leaves 0 to \d+ .*: log\.ndjson\.\n$/) });
    expect(await run(['audit', 'verify', 'log.ndjson', '--key', key])).toMatchObject({ code: 0 });
    // The sequencer gives the export's own event its place within a second.
    const taken = async () =>
      (await run(['audit', 'export'])).stdout.split('\n').filter((line) => line.includes('"operation":"audit export"'));
    let events: string[] = [];
    for (let tries = 0; tries < 30 && events.length === 0; tries++) events = await taken();
    expect(events[0]).toContain(`"actor":{"id":"operator:${uid}","kind":"system","roles":[]}`);
    const csv = await run(['audit', 'export', '--format', 'csv', '--out', 'log.csv', '--json']);
    expect({ code: csv.code, summary: JSON.parse(csv.stdout) }).toMatchObject({ code: 0, summary: { from: 0, out: 'log.csv' } });
    expect(await run(['audit', 'verify', 'log.csv', '--key', key])).toMatchObject({ code: 0 });
  });

  it('what the command alone would refuse is refused in the same words', async () => {
    expect(await run(['audit', 'export', '--customer', 'cus_absent'])).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: expect.stringMatching(/^No such customer\. .*\n$/),
    });
    expect(await run(['audit', 'export', '--since', '99999999'])).toMatchObject({ code: 1, stdout: '' });
    expect(await run(['audit', 'export', '--format', 'csv'])).toMatchObject({ code: 1, stdout: '' });
  });

  it('sync is the gateway’s, and an event of the user', async () => {
    const synced = await run(['sync', '--json']);
    expect({ code: synced.code, report: JSON.parse(synced.stdout) }).toMatchObject({
      code: 0,
      report: {
        sources: [
          { name: 'demo', fault: null },
          { name: 'demo-pay', fault: null },
        ],
      },
    });
    const database = new Sqlite(file('data/counterfoil.sqlite'), { readonly: true });
    const actors = database.prepare("SELECT actor_id FROM audit_event WHERE action = 'source.sync'").all();
    database.close();
    expect(actors).toEqual([{ actor_id: `operator:${uid}` }]);
  });

  it('what would sign beside it is refused', async () => {
    expect(await run(['audit', 'fork', '--no-checkpoint'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/is in use by process \d+\./),
    });
  });
});

/** A client that does as it likes; the challenge has come. */
class Intruder {
  private constructor(
    readonly socket: Socket,
    private readonly frames: AsyncGenerator<{ kind: string; payload: Buffer }>,
    readonly proof: string,
    readonly content: string,
  ) {}

  static async connect(): Promise<Intruder> {
    const socket = createConnection(socketPath());
    socket.on('error', () => {});
    const frames = readFrames(socket);
    const first = await frames.next();
    if (first.value?.kind !== 'challenge') throw new Error(first.value?.payload.toString('utf8') ?? 'closed');
    const challenge = readChallenge(first.value.payload);
    return new Intruder(socket, frames, file(`data/${proofName(challenge)}`), challenge.content);
  }

  prove(): this {
    writeFileSync(this.proof, this.content);
    return this;
  }

  /** What the gateway says in the end; null where it says nothing. */
  async outcome(): Promise<Outcome | null> {
    for await (const { kind, payload } of this.frames) if (kind === 'outcome') return readOutcome(payload);
    return null;
  }

  say(text: string): Promise<Outcome | null> {
    this.socket.write(text);
    return this.outcome();
  }
}

describe('the socket of a running gateway', () => {
  const line = (request: unknown) => `${JSON.stringify(request)}\n`;
  const exports = () => {
    const database = new Sqlite(file('data/counterfoil.sqlite'), { readonly: true });
    const [row] = database.prepare("SELECT COUNT(*) AS n FROM audit_event WHERE subject_type = 'AuditExport'").all() as {
      n: number;
    }[];
    database.close();
    return row?.n;
  };

  it.each<[string, (client: Intruder) => string]>([
    ['a query', () => line({ query: '{ viewer { id } }' })],
    ['another command', () => line({ command: 'graph', query: '{ viewer { id } }' })],
    ['start', () => line({ ...exportRequest, command: 'start' })],
    ['another policy', () => line({ ...exportRequest, policyFile: '/tmp/wider.yaml' })],
    ['a file to write', () => line({ ...exportRequest, out: '/etc/cron.d/x' })],
    ['another actor', () => line({ ...exportRequest, actor: 'operator:4711' })],
    ['something missing', () => line({ command: 'audit export' })],
    ['no JSON', () => 'export please\n'],
    ['no object', () => '[[[]]]\n'],
    ['two requests at once', () => line(exportRequest) + line(exportRequest)],
    ['a request that is too long', () => line({ ...exportRequest, customer: 'x'.repeat(longestRequest) })],
    ['a line without end', () => 'x'.repeat(longestRequest + 1)],
  ])('doesn’t take: %s', async (_, text) => {
    const before = exports();
    const client = (await Intruder.connect()).prove();
    expect(await client.say(text(client))).toMatchObject({ ok: false });
    expect(exports()).toBe(before);
    expect(existsSync(client.proof) && client.proof).toBe(false);
  });

  it.each<[string, (client: Intruder) => void]>([
    ['none', () => {}],
    ['another content', (client) => writeFileSync(client.proof, 'x'.repeat(32))],
    ['more content', (client) => writeFileSync(client.proof, `${client.content}x`)],
    [
      'a symbolic link',
      (client) => {
        writeFileSync(`${client.proof}-target`, client.content);
        symlinkSync(`${client.proof}-target`, client.proof);
      },
    ],
    [
      'a second name of a file',
      (client) => {
        writeFileSync(`${client.proof}-target`, client.content);
        linkSync(`${client.proof}-target`, client.proof);
      },
    ],
    ['a folder', (client) => mkdirSync(client.proof)],
    ['a pipe', (client) => execFileSync('mkfifo', [client.proof])],
  ])('asks who it is, and takes for an answer no file: %s', async (_, answer) => {
    const before = exports();
    const client = await Intruder.connect();
    answer(client);
    expect(await client.say(line(exportRequest))).toEqual({ ok: false, message: expect.stringMatching(/isn’t known/) });
    expect(exports()).toBe(before);
  });

  it('serves several at once and refuses more, until one is gone', async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => Intruder.connect()));
    await expect(Intruder.connect()).rejects.toThrow(/as many commands as it takes/);
    expect(await (clients[0] as Intruder).prove().say(line(exportRequest))).toMatchObject({ ok: true });
    for (const { socket } of clients) socket.destroy();
    let again: Intruder | null = null;
    while (!again) again = await Intruder.connect().catch(() => null);
    again.socket.destroy();
  });

  it('isn’t held up by a client that goes away, or that doesn’t read', async () => {
    const gone = (await Intruder.connect()).prove();
    gone.socket.write(line(exportRequest), () => gone.socket.destroy());
    const silent = (await Intruder.connect()).prove();
    silent.socket.pause();
    silent.socket.write(line(exportRequest));
    expect(await run(['audit', 'export', '--out', 'after.ndjson'])).toMatchObject({ code: 0 });
    silent.socket.destroy();
  });

  it('survives a second gateway, which is refused', async () => {
    expect(await built.start(environment).finished).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is in use by process/),
    });
    expect(await run(['audit', 'export', '--out', 'after.ndjson'])).toMatchObject({ code: 0 });
  });

  it('says so to whoever waits when the gateway stops, and is gone then', async () => {
    const client = await Intruder.connect();
    const ended = client.outcome();
    expect(await stopped()).toMatchObject({ code: 0 });
    expect(await ended).toEqual({ ok: false, message: expect.stringMatching(/is stopping/) });
    expect(existsSync(socketPath())).toBe(false);
    // Without a gateway the commands do it themselves.
    expect(await run(['audit', 'export', '--out', 'alone.ndjson'])).toMatchObject({ code: 0 });
  });

  it('of a killed gateway is replaced by the next', async () => {
    await restart();
    await stopped('SIGKILL');
    expect(lstatSync(socketPath()).isSocket()).toBe(true);
    expect(await run(['audit', 'export', '--out', 'alone.ndjson'])).toMatchObject({ code: 0 });
    await restart();
    expect(await run(['sync'])).toMatchObject({ code: 0 });
    await stopped();
  });

  it('isn’t made where something else stands, which stays; commands say what to do then', async () => {
    writeFileSync(file('theirs'), 'theirs');
    symlinkSync(file('theirs'), socketPath());
    await restart();
    expect(gateway.stderr).toMatch(/commands beside this gateway are not taken/);
    expect(readlinkSync(socketPath())).toBe(file('theirs'));
    expect(readFileSync(file('theirs'), 'utf8')).toBe('theirs');
    expect(await run(['sync'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/in use by process \d+, which takes no commands: .*stop it, and run this again/),
    });
    await stopped();
  });

  it('is in the user’s runtime folder where its path would be too long, and found without knowing which', async () => {
    const long = `d${'x'.repeat(120)}`;
    const runtime = mkdtempSync('/tmp/cf-');
    await restart({ DATA_DIR: long, XDG_RUNTIME_DIR: runtime });
    const place = readFileSync(file(`${long}/counterfoil.sqlite.socket`), 'utf8');
    expect(place.startsWith(join(runtime, `counterfoil-${uid}/`))).toBe(true);
    expect(lstatSync(join(runtime, `counterfoil-${uid}`)).mode & 0o777).toBe(0o700);
    expect(lstatSync(place).mode & 0o777).toBe(0o600);
    const exported = () => run(['audit', 'export', '--out', 'long.ndjson'], { DATA_DIR: long });
    let { code, stderr } = await exported();
    // A log that has just begun is signed for the first time within a second or two.
    for (let tries = 0; tries < 10 && stderr.includes('no checkpoint yet'); tries += 1) ({ code, stderr } = await exported());
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await stopped();
    expect(existsSync(place)).toBe(false);
    // A folder that others may enter is not believed.
    chmodSync(join(runtime, `counterfoil-${uid}`), 0o755);
    await restart({ DATA_DIR: long, XDG_RUNTIME_DIR: runtime });
    expect(gateway.stderr).toMatch(/no folder that only this user may enter/);
    await stopped();
    rmSync(runtime, { recursive: true });
  });

  it('is missed where the database is owned by something else, which is named', async () => {
    const release = takeOwnership(file('data/counterfoil.sqlite'));
    for (const args of [['sync'], ['audit', 'export']])
      expect(await run(args)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining(`in use by process ${process.pid}, which takes no commands`),
      });
    release();
  });
});
