import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { BuiltGateway, Running } from '../support/built';

const policyText = readFileSync(join(__dirname, '..', '..', 'schema', 'exposure.yaml'), 'utf8');
const stackLine = /^\s+at .+:\d+:\d+\)?$/m;

let built: BuiltGateway;
beforeAll(() => {
  built = BuiltGateway.make();
}, 120_000);
afterAll(() => built.remove());

const file = (name: string, text: string): string => {
  const path = join(built.folder, name);
  writeFileSync(path, text);
  return path;
};

const addressOf = async (gateway: Running): Promise<string> =>
  (await gateway.said(/(http:\/\/127\.0\.0\.1:\d+)\/ /))[1] as string;

const ask = async (address: string, token: string, query: string) => {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data: Record<string, unknown>; errors?: unknown };
};

const stop = async (gateway: Running) => {
  gateway.child.kill('SIGTERM');
  return gateway.finished;
};

describe('counterfoil', () => {
  it.each([
    [['--help'], /start.*token.*sync.*policy.*schema/s],
    [['start', '--help'], /PORT/],
    [['policy', 'explain', '--help'], /--role.*AGENT.*--assurance.*MATCHED/s],
  ])('%j says what it takes', async (args, pattern) => {
    expect(await built.run(args)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(pattern) });
  });

  it.each([
    [['frobnicate'], 'frobnicate'],
    [['token'], '--user'],
    [['policy', 'explain', 'Customer.email', '--role', 'ROOT'], 'AGENT'],
    [['policy', 'explain', 'Customer.emial', '--role', 'AGENT'], 'Customer.email'],
    [['policy', 'diff', 'absent.yaml'], 'absent.yaml'],
    [['schema', 'check', 'absent.graphql'], 'schema print --output absent.graphql'],
  ])('%j fails on stderr with 1, and without a stack', async (args, hint) => {
    const { code, stdout, stderr } = await built.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(stackLine);
  });

  it('says what is missing where nobody has migrated yet, and what to do', async () => {
    const { code, stderr } = await built.run(['audit', 'export'], { DATA_DIR: 'unmigrated' });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^The database isn't this version's \(no such table: audit_\w+\):.*counterfoil migrate\.\n$/),
    ]);
  });

  it.each(['ENOSPC', 'EPIPE'])('ends with one line and 1 where nothing can be written: %s', async (code) => {
    const program = join(built.output, 'src', 'cli', 'counterfoil.js');
    const full = code === 'ENOSPC' ? openSync('/dev/full', 'w') : null;
    const child = spawn(process.execPath, [program, 'schema', 'print'], {
      cwd: built.folder,
      stdio: ['ignore', full ?? 'pipe', 'pipe'],
    });
    if (full === null) child.stdout?.destroy();
    else closeSync(full);
    const finished = await new Running(child).finished;
    expect([finished.code, finished.stderr]).toEqual([1, `Standard output can't be written to (${code}).\n`]);
  });

  it('shows a stack where DEBUG asks for it', async () => {
    const { stderr } = await built.run(['token', '--user', 'mallory'], { DEBUG: '1' });
    expect(stderr).toMatch(stackLine);
  });
});

describe('what a command loads', () => {
  const heavy = [
    'typeorm',
    'type-graphql',
    'graphql',
    'fastify',
    'stripe',
    'nodemailer',
    '@apollo/server',
    'mysql2',
    'better-sqlite3',
    'libphonenumber-js',
  ];
  /** Packages and files of ours that a command has loaded when it ends. */
  const loadedBy = async (
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Record<'packages' | 'files' | 'locales', readonly string[]>> => {
    const preload = file(
      'preload.cjs',
      // What a stand-in stands for (src/deferred) isn't loaded.
      `const { isProxy } = require('node:util').types;
      process.on('exit', () => {
        const loaded = Object.entries(require.cache).filter(([, { exports }]) => !isProxy(exports)).map(([path]) => path);
        require('node:fs').writeFileSync('loaded.json', JSON.stringify(loaded));
      });`,
    );
    await built.run(args, { NODE_OPTIONS: `--require ${preload}`, ...environment });
    const loaded = JSON.parse(readFileSync(join(built.folder, 'loaded.json'), 'utf8')) as string[];
    const inPackage = (path: string) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    return {
      packages: [...new Set(loaded.flatMap((path) => inPackage(path) ?? []))],
      files: loaded.filter((path) => inPackage(path) === undefined),
      locales: loaded.filter((path) => /\/zod\/v4\/locales\/(?!index)/.test(path)),
    };
  };

  it.each([
    [['--help']],
    [['policy', 'check']],
    [['policy', 'explain', 'Customer.email', '--role', 'AGENT']],
    [['policy', 'diff', join(__dirname, '..', '..', 'schema', 'exposure.yaml')]],
    [['audit', 'verify', 'absent.ndjson', '--key', 'absent.key']],
    [['sync', '--help']],
  ])('%j needs neither database nor graph nor a connector, and loads none', async (args) => {
    const { packages, files, locales } = await loadedBy(args);
    expect(packages.filter((name) => heavy.includes(name))).toEqual([]);
    // One language's messages, not sixty.
    expect(locales.length).toBeLessThanOrEqual(1);
    expect(files.filter((path) => /\/(?:app|config\/load|main)\.js$/.test(path))).toEqual([]);
  });

  it('a sync by itself needs no graph, no server and no connector but its sources’', async () => {
    const { packages, files } = await loadedBy(['sync'], { DATA_DIR: 'synced' });
    // Where there are telephone numbers to compare, and not before.
    const needed = ['typeorm', 'better-sqlite3', 'libphonenumber-js'];
    expect(packages.filter((name) => heavy.includes(name)).sort()).toEqual([...needed].sort());
    expect(files.filter((path) => /\/(?:app|http\/server|features\/schema)\.js$/.test(path))).toEqual([]);
  });

  it('is seen by that test', async () => {
    const { packages } = await loadedBy(['schema', 'print']);
    expect(packages).toEqual(expect.arrayContaining(['graphql', 'type-graphql']));
  });
});

describe('the stored classes of the fields', () => {
  let copy: BuiltGateway;
  beforeAll(() => {
    copy = BuiltGateway.copy();
  });
  afterAll(() => copy.remove());
  const stored = () => join(copy.output, 'classification.json');
  const explained = async () => {
    const { code, stdout } = await copy.run(['policy', 'explain', 'Customer.email', '--role', 'AGENT', '--json']);
    return { code, classes: (JSON.parse(stdout) as { class: string }[]).map((each) => each.class) };
  };

  it('aren’t believed once they are of another build, or can’t be read', async () => {
    const text = readFileSync(stored(), 'utf8');
    const right = await explained();
    expect(right).toEqual({ code: 0, classes: ['PERSONAL', 'CREDENTIAL', 'PERSONAL'] });
    const marked = JSON.parse(text) as { digest: string; fields: { coordinate: string; classes: Record<string, string> }[] };
    for (const { classes } of marked.fields) classes.MATCHED = 'PUBLIC';
    for (const other of ['', '{}', '[1]', JSON.stringify({ ...marked, digest: marked.digest.replace(/./g, '0') })]) {
      writeFileSync(stored(), other);
      expect(await explained()).toEqual(right);
    }
  });
});

describe('counterfoil token', () => {
  it('prints a token as its last line, of a session with or without a second factor', async () => {
    for (const [args, amr] of [
      [
        ['token', '--user', 'ana'],
        ['pwd', 'otp', 'mfa'],
      ],
      [['token', '--user', 'ana', '--no-mfa'], ['pwd']],
    ] as const) {
      const { code, stdout } = await built.run(args);
      expect(code).toBe(0);
      const payload = stdout.trimEnd().split('\n').at(-1)?.split('.')[1] ?? '';
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>;
      expect(claims).toMatchObject({ sub: 'ana', roles: ['AGENT'], amr });
    }
  });

  it('prints one JSON object for a program', async () => {
    const { stdout } = await built.run(['token', '--user', 'oz', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ user: 'oz', roles: ['ADMIN'], mfa: true, token: expect.stringMatching(/^eyJ/) });
  });

  it.each([{ NODE_ENV: 'production', DEVELOPMENT_ISSUER: 'true' }, { DEVELOPMENT_ISSUER: 'false' }])(
    'is refused under %j',
    async (environment) => {
      const { code, stdout, stderr } = await built.run(['token', '--user', 'ana'], environment);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/development issuer/);
    },
  );
});

describe('counterfoil policy', () => {
  it('check reports the coverage of the policy that ships', async () => {
    const { code, stdout } = await built.run(['policy', 'check', '--json']);
    const report = JSON.parse(stdout) as { fields: number; verdicts: Record<string, Record<string, number>> };
    expect({ code, report }).toMatchObject({ code: 0, report: { ok: true } });
    for (const counts of Object.values(report.verdicts)) {
      const sum = Object.values(counts).reduce((total, count) => total + count, 0);
      // A field whose verdict depends on the link stands in more than one column, and none stands in none.
      expect(sum).toBeGreaterThanOrEqual(report.fields);
    }
  });

  it('check names every problem with its file and line', async () => {
    const lines = policyText.split('\n');
    const broken = file('broken.yaml', policyText.replace('version: 1', 'version: 2').replace('  Customer:\n', '  Custommer:\n'));
    const { code, stdout, stderr } = await built.run(['policy', 'check', broken, '--json']);
    expect(code).toBe(1);
    const version = lines.findIndex((line) => line.startsWith('version:')) + 1;
    expect(stderr).toContain(`broken.yaml:${version}  version: expected 1`);
    expect(stderr).toMatch(/broken\.yaml:\d+ {2}fields\.Custommer: is no type of the schema/);
    expect(stderr).toMatch(/fields\.Customer\.email: has no verdict/);
    expect(stderr).toMatch(/\d+ problems\./);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ at: 'version', line: version })]),
    });
  });

  it('check refuses a strength that no configured channel can meet, and says what is missing and where it belongs', async () => {
    const lineOf = (text: string) => policyText.split('\n').findIndex((line) => line.includes(text)) + 1;
    const mailOnly = file('mail-only.yaml', 'delivery: { mail: { kind: files } }\n');
    const { code, stdout, stderr } = await built.run(['policy', 'check'], { CONFIG_FILE: mailOnly });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const missing = "code can't be met: no gateway for short messages is configured (delivery.sms in the configuration file)";
    expect(stderr).toContain(`exposure.yaml:${lineOf('REMOVE: { strength: code }')}  updates.kinds.REMOVE.strength: ${missing}`);
    expect(stderr).toContain(`exposure.yaml:${lineOf('    strength: code')}  updates.highRisk.strength: ${missing}`);
    expect(stderr).toContain('2 problems.');
    const both = file('both.yaml', 'delivery: { mail: { kind: files }, sms: { kind: files } }\n');
    expect(await built.run(['policy', 'check'], { CONFIG_FILE: both })).toMatchObject({ code: 0, stderr: '' });
    expect(await built.run(['policy', 'check'], { NODE_ENV: 'production' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "link can't be met: no mail server is configured (delivery.mail in the configuration file)",
      ),
    });
  });

  it('check tells of frames that sign and nothing demands it, and refuses what nobody can bring', async () => {
    const demanding = file('demanding.yaml', policyText.replace('signatureRequired: []', 'signatureRequired: [desk]'));
    const line = policyText.split('\n').findIndex((each) => each.includes('signatureRequired: []')) + 1;
    const delivery = 'delivery: { mail: { kind: files }, sms: { kind: files } }\n';
    const signs = file('signs.yaml', `${delivery}embeds: [{ source: desk, signed: { kind: rt, secret: "\${ANY}" } }]\n`);
    const silent = file('silent.yaml', `${delivery}embeds: [{ source: desk }]\n`);
    const [told, json, demanded, refused] = await Promise.all([
      built.run(['policy', 'check'], { CONFIG_FILE: signs }),
      built.run(['policy', 'check', '--json'], { CONFIG_FILE: signs }),
      built.run(['policy', 'check', demanding], { CONFIG_FILE: signs }),
      built.run(['policy', 'check', demanding], { CONFIG_FILE: silent }),
    ]);
    expect(told).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('though these sign: desk (frames.signatureRequired).'),
    });
    expect(JSON.parse(json.stdout)).toMatchObject({ frames: { signatureRequired: [], signedButNotRequired: ['desk'] } });
    expect(demanded).toMatchObject({ code: 0, stdout: expect.stringContaining('only where it was signed for: desk.') });
    expect(demanded.stdout).not.toContain('though these sign');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`demanding.yaml:${line}  frames.signatureRequired.0: signs nothing of its frames`),
    });
  });

  it('explain says what a role sees under a link, by which line, and what would lift it', async () => {
    const { code, stdout } = await built.run([
      'policy',
      'explain',
      'Customer.email',
      '--role',
      'AGENT',
      '--assurance',
      'MATCHED',
      '--json',
    ]);
    const line = Number((JSON.parse(stdout) as { decidedBy: { line: number } }).decidedBy.line);
    expect({ code, found: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      found: { verdict: 'mask:email', class: 'CREDENTIAL', ceiling: 'mask', decidedBy: { path: 'fields.Customer.email.AGENT' } },
    });
    expect(policyText.split('\n')[line - 1]).toContain('AGENT');
    const words = await built.run(['policy', 'explain', 'Customer.email', '--role', 'AGENT', '--no-mfa']);
    expect(words.stdout).toMatch(/VERIFIED link.*MFA_REQUIRED.*MATCHED link.*NONE link/s);
  });

  it('diff ends with 0 when both mean the same, and with 1 and sentences when they differ', async () => {
    const same = file('same.yaml', `# another comment\n${policyText}`);
    expect(await built.run(['policy', 'diff', same])).toMatchObject({ code: 0, stdout: 'Both mean the same.\n' });
    const wider = file('wider.yaml', policyText.replace(/customersPerHour: \d+/, 'customersPerHour: 99999'));
    const { code, stdout, stderr } = await built.run(['policy', 'diff', same, wider]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^\+ exposes: The number of different customers/m);
    const back = await built.run(['policy', 'diff', wider, same, '--json']);
    expect(JSON.parse(back.stdout)).toMatchObject({
      changes: [{ coordinate: 'assistance.quota.customersPerHour', effect: 'restricts' }],
    });
  });
});

describe('counterfoil schema', () => {
  it('prints what its own check accepts, and check shows where a file differs', async () => {
    const printed = join(built.folder, 'printed.graphql');
    expect(await built.run(['schema', 'print', '--output', printed])).toMatchObject({ code: 0, stdout: '' });
    expect(await built.run(['schema', 'check', printed])).toMatchObject({ code: 0, stderr: '' });
    const text = readFileSync(printed, 'utf8');
    expect((await built.run(['schema', 'print'])).stdout).toBe(text);
    const changed = file('changed.graphql', text.replace('  ticketByReference(', '  ticketByNumber('));
    const { code, stdout, stderr } = await built.run(['schema', 'check', changed]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const line = text.split('\n').findIndex((each) => each.startsWith('  ticketByReference(')) + 1;
    expect(stderr).toContain(`changed.graphql:${line}`);
    expect(stderr).toMatch(/^- +ticketByNumber/m);
    expect(stderr).toMatch(/^\+ +ticketByReference/m);
  });
});

describe('a network that is left through a proxy only', () => {
  it('is left by Node’s own agent where there is no proxy, though the first request of the process is a message with an agent of its own', () => {
    const script = `
      const { outgoingAgent } = require(${JSON.stringify(join(built.output, 'src', 'upstream', 'outgoing.js'))});
      const agent = outgoingAgent({ proxy: null, except: null });
      const usual = globalThis[Symbol.for('undici.globalDispatcher.1')];
      console.log(typeof agent.dispatch, usual !== undefined && !(usual instanceof require('undici').Agent));
    `;
    const node = { cwd: built.output, encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['-e', script], node)).toBe('function true\n');
  });

  it('is left through it, by name, and for HTTPS; this machine is reached without', async () => {
    const asked: string[] = [];
    const direct: string[] = [];
    const proxy = createServer((request) => direct.push(String(request.url)));
    // The name behind it can't be resolved here, and nothing of the request is seen.
    proxy.on('connect', (request, socket) => {
      asked.push(String(request.url));
      socket.end('HTTP/1.1 503 Unavailable\r\n\r\n');
    });
    const local = createServer((_request, response) => void response.writeHead(401).end());
    for (const server of [proxy, local]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const portOf = (server: typeof proxy) => (server.address() as AddressInfo).port;
    let reached = 0;
    local.on('request', () => {
      reached += 1;
    });
    const sync = (url: string) => {
      file(
        'proxied.yaml',
        `sources:
  helpdesk: [{ kind: rt, name: rt, url: '${url}', token: '\${RT_TOKEN}', resilience: { attemptTimeout: 2000, retries: 0 } }]
  payments: [{ kind: stripe, name: stripe, apiKey: '\${STRIPE_KEY}' }]
`,
      );
      return built.run(['sync'], {
        CONFIG_FILE: 'proxied.yaml',
        DATA_DIR: 'proxied',
        RT_TOKEN: 'token',
        STRIPE_KEY: 'rk_test_key',
        https_proxy: `http://127.0.0.1:${portOf(proxy)}`,
        NO_PROXY: '.inside.example',
      });
    };
    expect((await sync('https://rt.behind.example')).code).toBe(1);
    expect([[...new Set(asked)], direct, reached]).toEqual([['rt.behind.example:443'], [], 0]);
    expect((await sync(`http://127.0.0.1:${portOf(local)}`)).code).toBe(1);
    expect([[...new Set(asked)], direct]).toEqual([['rt.behind.example:443'], []]);
    expect(reached).toBeGreaterThan(0);
    for (const server of [proxy, local]) server.close();
  });
});

describe('a gateway as a process', () => {
  it('loads the demo merchant once, welcomes with a query that works, keeps its data, and finishes what it has when it is stopped', async () => {
    const first = built.start();
    const address = await addressOf(first);
    await first.said(/Started in /);
    expect(first.stdout).toMatch(/loading the demo merchant/i);
    expect(first.stdout).toMatch(/development mode/);
    // No terminal, so nothing is drawn over.
    expect(first.stdout).not.toContain('\r');
    expect(first.stderr).toBe('');

    const [, token] = /Bearer (\S+)'/.exec(first.stdout) ?? [];
    const [, body] = /-d '(.*)'$/m.exec(first.stdout) ?? [];
    const answer = await ask(address, token as string, (JSON.parse(body as string) as { query: string }).query);
    expect(answer).toMatchObject({ data: { ticketByReference: { customer: { link: 'VERIFIED' } } } });
    expect(answer.errors).toBeUndefined();

    const printed = (await built.run(['token', '--user', 'ana'])).stdout.trim();
    expect(await ask(address, printed, '{ viewer { roles } }')).toEqual({ data: { viewer: { roles: ['AGENT'] } } });

    // Half a request is under way when the signal comes: the gateway said that it waits for the rest.
    const { hostname, port } = new URL(address);
    const query = JSON.stringify({ query: '{ viewer { teams } }' });
    const socket = connect(Number(port), hostname);
    let received = '';
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    const waits = new Promise<void>((resolve) =>
      socket.setEncoding('utf8').on('data', (text: string) => {
        received += text;
        if (received.includes('100 Continue')) resolve();
      }),
    );
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${printed}\r\ncontent-type: application/json\r\ncontent-length: ${query.length}\r\nexpect: 100-continue\r\n\r\n`,
    );
    await waits;
    first.child.kill('SIGTERM');
    await first.said(/Stopping/);
    socket.write(query);
    await closed;
    expect(received).toContain('HTTP/1.1 200');
    expect(received).toContain('"teams":["cards"]');
    expect(await first.finished).toMatchObject({ code: 0, signal: null });

    const second = built.start();
    const again = await addressOf(second);
    await second.said(/Started in /);
    expect(second.stdout).not.toMatch(/loading/i);
    const context = '{ ticketByReference(source: "demo", reference: "1001") { assistance { state } } }';
    // The assistance of the first run goes on: its data was kept.
    expect(await ask(again, printed, context)).toMatchObject({ data: { ticketByReference: { assistance: { state: 'LIVE' } } } });
    // Browsers and load balancers open connections on which they ask nothing: nobody waits for these.
    const unused = connect(Number(new URL(again).port), hostname);
    await new Promise((resolve) => unused.once('connect', resolve));
    const began = performance.now();
    expect(await stop(second)).toMatchObject({ code: 0 });
    expect(performance.now() - began).toBeLessThan(10_000);
    unused.destroy();

    const synced = await built.run(['sync', '--json']);
    expect(JSON.parse(synced.stdout)).toMatchObject({
      sources: [
        { name: 'demo', fault: null },
        { name: 'demo-pay', fault: null },
      ],
    });
    expect(synced.code).toBe(0);
  });

  it('stops when it is told to while it loads, and goes on from there', async () => {
    const environment = { DATA_DIR: 'interrupted', DEMO_SIZE: '0.2' };
    const first = built.start(environment);
    await first.said(/loading the demo merchant/i);
    first.child.kill('SIGINT');
    expect(await first.finished).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).not.toMatch(/Started in/);
    const second = built.start(environment);
    await second.said(/Started in /);
    expect(await stop(second)).toMatchObject({ code: 0 });
  });

  it('says everything that is wrong with its configuration at once, and ends with 1', async () => {
    const config = file(
      'wrong.yaml',
      'sources:\n  helpdesk:\n    - { kind: rt, name: RT, url: nowhere, token: secret-in-clear }\n  payments: []\n',
    );
    const policy = file('wrong-policy.yaml', policyText.replace('version: 1', 'version: 2'));
    const { code, stdout, stderr } = await built.start({
      POLICY_FILE: policy,
      PORT: 'many',
      CONFIG_FILE: config,
      LOG_LEVEL: 'loud',
      NODE_ENV: 'production',
    }).finished;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const expected of [
      'PORT: expected',
      'LOG_LEVEL: expected',
      'wrong.yaml:3',
      'wrong-policy.yaml:',
      'sources.payments',
      'DATABASE_URL',
      'KEY_ENCRYPTION_KEY',
    ])
      expect(stderr).toContain(expected);
    expect(stderr).not.toContain('secret-in-clear');
    expect(stderr).not.toMatch(stackLine);
  });

  it('says which policy file is wrong, and where', async () => {
    const broken = file('start-broken.yaml', policyText.replace('version: 1', 'version: 2'));
    const { code, stderr } = await built.start({ POLICY_FILE: broken, DATA_DIR: 'unused' }).finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/start-broken\.yaml:\d+ {2}version: expected 1/);
    expect(stderr).not.toMatch(stackLine);
  });

  it('says that the port is taken before it loads anything', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, stdout, stderr } = await built.start({ PORT: String(port), DATA_DIR: 'never' }).finished;
    await new Promise((resolve) => taken.close(resolve));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `Port ${port} on 127.0.0.1 is in use by another program. Stop that one, or take another port with PORT.\n`,
    );
  });

  it('says that the database is another gateway’s', async () => {
    const first = built.start({ DATA_DIR: 'shared' });
    await first.said(/Started in /);
    const { code, stderr } = await built.start({ DATA_DIR: 'shared' }).finished;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/is in use by process \d+\. Stop that gateway first/),
    });
    expect(await stop(first)).toMatchObject({ code: 0 });
  });
});
