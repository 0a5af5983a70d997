import { readFileSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join, relative, sep } from 'node:path';
import { BuiltGateway } from '../support/built';
import { key } from '../support/config-folder';
import { ProviderBrowser } from '../support/openid-provider';

/** What a process has loaded of the gateway, from its entry to its end. */
let built: BuiltGateway;
let environment: Record<string, string>;
const file = (name: string) => join(built.folder, name);

beforeAll(() => {
  built = BuiltGateway.make();
  writeFileSync(
    file('note.js'),
    "process.on('exit', () => require('node:fs').writeFileSync(process.env.LOADED, JSON.stringify(Object.keys(require.cache))));",
  );
  environment = { NODE_OPTIONS: `--require ${file('note.js')}`, LOADED: file('loaded.json') };
  writeFileSync(
    file('production.yaml'),
    // Nobody listens at port 9.
    `sources:
  helpdesk: [{ kind: rt, name: rt, url: 'https://127.0.0.1:9', token: '\${RT_TOKEN}' }]
  payments: [{ kind: stripe, name: stripe, url: 'https://127.0.0.1:9', apiKey: '\${STRIPE_KEY}' }]
identity:
  issuers: [{ issuer: 'https://id.example.com', audience: counterfoil, jwksUri: 'https://127.0.0.1:9/jwks' }]
merchant: { name: Shop }
publicUrl: https://gateway.example.com
delivery:
  mail: { kind: smtp, host: 127.0.0.1, port: 9, from: { name: Shop, address: shop@example.com } }
  sms: { kind: http, url: 'https://127.0.0.1:9/sms', body: { to: '{to}', text: '{text}' } }
audit: { origin: counterfoil.example.com/audit, mark: mark }
`,
  );
}, 180_000);
afterAll(() => built.remove());

/** Paths from the compiler's output, without their ending. */
const loaded = (): string[] =>
  (JSON.parse(readFileSync(file('loaded.json'), 'utf8')) as string[]).map((path) =>
    relative(built.output, path).split(sep).join('/').replace(/\.js$/, ''),
  );
const ofProvider = (): string[] => loaded().filter((path) => path.includes('node_modules/oidc-provider/'));
const ofDevelopment = (): string[] => loaded().filter((path) => path.startsWith('src/development/'));

const production = (): Record<string, string> => ({
  ...environment,
  NODE_ENV: 'production',
  CONFIG_FILE: 'production.yaml',
  DATABASE_URL: 'sqlite:production.sqlite',
  KEY_ENCRYPTION_KEY: key,
  AUDIT_SIGNING_KEY: Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64'),
  RT_TOKEN: 'token',
  STRIPE_KEY: 'rk_key',
});

describe('what stands in src/development', () => {
  it('is never loaded by a gateway in production', async () => {
    const gateway = built.start(production());
    const [, address] = await gateway.said(/listening at (http:[^"]+)/);
    const statuses = await Promise.all(
      ['/', '/explorer', '/development/mail', '/development/provider', '/healthz'].map(
        async (path) => (await fetch(`${address}${path}`)).status,
      ),
    );
    expect(statuses).toEqual([404, 404, 404, 404, 200]);
    gateway.child.kill('SIGTERM');
    expect((await gateway.finished).code).toBe(0);
    expect(loaded()).toEqual(expect.arrayContaining(['src/app', 'src/http/server', 'src/features/sources/connectors']));
    expect(ofDevelopment()).toEqual([]);
  });

  it.each(['--help', 'doctor', 'policy check', 'token --user ana'])(
    'is not loaded by `counterfoil %s` there',
    async (command) => {
      await built.run(command.split(' '), production());
      expect(loaded()).toContain('src/cli/counterfoil');
      expect(ofDevelopment()).toEqual([]);
    },
  );

  it('is what a gateway in development loads', async () => {
    const gateway = built.start({ ...environment, DATA_DIR: 'development' });
    await gateway.said(/Started in /);
    gateway.child.kill('SIGTERM');
    expect((await gateway.finished).code).toBe(0);
    expect([...new Set(ofDevelopment().map((path) => path.split('/')[2]))].sort()).toEqual([
      'issuer',
      'merchant',
      'outbox',
      'pages',
      'sites',
      'sources',
    ]);
    expect(ofProvider()).toEqual([]);
  });

  it('has an identity provider from when somebody signs in, of which nothing is said in the terminal', async () => {
    const gateway = built.start({ ...environment, DATA_DIR: 'development' });
    await gateway.said(/Started in /);
    const address = /(http:\/\/127\.0\.0\.1:\d+)\/readyz/.exec(gateway.stdout)?.[1] as string;
    const said = gateway.stdout;
    const browser = new ProviderBrowser();
    const toProvider = await visit(`${address}/sign-in`);
    expect(toProvider.statusCode).toBe(303);
    const back = await browser.signIn(String(toProvider.headers.location), 'ana', { secondFactor: true });
    const cookie = String(toProvider.headers['set-cookie']).split(';')[0] as string;
    expect((await visit(back.href, { cookie })).statusCode).toBe(303);
    // Its back channel is where it warns of what it can't guard.
    await browser.signOut(new URL('/session/end', String(toProvider.headers.location)).href);
    gateway.child.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
    expect(gateway.stdout.slice(said.length)).toMatch(/^Stopping once .*\n$/);
    expect(ofProvider()).not.toEqual([]);
  });
});

/** By which a browser that was given the address asks: no header of a program’s. */
const visit = (url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(url, { headers }, (response) => resolve(response.resume())).on('error', reject);
  });
