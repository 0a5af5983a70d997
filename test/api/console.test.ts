import { createHash } from 'node:crypto';
import { type BuiltConsole, readConsole } from '../../src/http/console';
import { TestApp } from '../support/app';
import { verifierFolder } from '../support/both-verifiers';
import { builtConsole } from '../support/built-console';

const gateway = 'https://gateway.example';
const headers = { host: 'gateway.example' };

let built: BuiltConsole;
let folder: string;
let test: TestApp;

beforeAll(async () => {
  folder = builtConsole();
  built = readConsole(folder) as BuiltConsole;
  test = await TestApp.start({
    consoleFolder: folder,
    verifierFolder: verifierFolder(),
    config: {
      publicUrl: gateway,
      signIn: {
        providers: [
          {
            id: 'staff',
            issuer: 'https://login.example',
            name: 'Staff',
            clientId: 'counterfoil',
            clientSecret: 'a secret of this test alone',
            scope: ['openid'],
            secondFactor: [],
          },
        ],
        idleMinutes: 15,
        hours: 8,
      },
    },
  });
}, 120_000);
afterAll(() => test.stop());

const get = (url: string, more: Record<string, string> = {}) => test.server.inject({ url, headers: { ...headers, ...more } });

describe('the pages of the console', () => {
  it('are one page at each of its addresses, that loads nothing from elsewhere, runs no text and is in no frame', async () => {
    for (const url of ['/', '/tickets', '/t/demo/1001', '/log/events/evt_1', '/policy/diff']) {
      const { statusCode, body, headers: sent } = await get(url);
      expect([url, statusCode]).toEqual([url, 200]);
      expect(body).toBe(String(built.files.get('index.html')?.plain));
      expect(sent['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      );
      expect(sent).toMatchObject({
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  it('name the files of the screen at their address, which are there', async () => {
    for (const [url, file] of [
      ['/t/demo/1001', 'agent-'],
      ['/approvals', 'approvals-'],
      ['/log', 'log-'],
    ] as const) {
      const named = [...String((await get(url)).headers.link).matchAll(/<([^>]+)>; rel=modulepreload/g)].map(
        ([, name]) => name as string,
      );
      expect(named.some((name) => name.startsWith(`/console/${file}`))).toBe(true);
      for (const name of named) expect([name, (await get(name)).statusCode]).toEqual([name, 200]);
    }
  });

  it('have no script or style in them, and name files that are there, which browsers keep', async () => {
    const page = String(built.files.get('index.html')?.plain);
    expect(page).not.toMatch(/<style|style=|<script(?![^>]* src=)|\bon\w+=/i);
    const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url as string);
    expect(named.length).toBeGreaterThan(2);
    for (const url of named) {
      const { statusCode, headers: sent } = await get(url);
      expect([url, statusCode]).toEqual([url, 200]);
      if (!url.endsWith('.svg')) expect(sent['cache-control']).toBe('public, max-age=31536000, immutable');
    }
  });

  it('are sent as small as the browser takes them', async () => {
    const [name, file] = [...built.files].find(([each]) => each.startsWith('index-')) as [string, { plain: Buffer }];
    const plain = await get(`/console/${name}`);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.rawPayload.equals(file.plain)).toBe(true);
    for (const encoding of ['br', 'gzip']) {
      const sent = await get(`/console/${name}`, { 'accept-encoding': encoding });
      expect(sent.headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
      expect(sent.rawPayload.length).toBeLessThan(file.plain.length / 2);
    }
  });

  it('are nothing else: no other file, no way out of the folder, and no address beside those of screens', async () => {
    for (const url of [
      '/console/addresses.json',
      '/console/index.html',
      '/console/nothing.js',
      '/console/..%2f..%2fpackage.json',
      '/console/%2e%2e%2faddresses.json',
      '/tickets/1',
      '/t/demo',
    ])
      expect([url, (await get(url)).statusCode]).toEqual([url, 404]);
  });
});

describe('where nobody can sign in with a browser', () => {
  it('there is no console', async () => {
    const without = await TestApp.start({ consoleFolder: folder, config: { developmentIssuer: false } });
    try {
      expect((await without.server.inject({ url: '/tickets' })).statusCode).toBe(404);
    } finally {
      await without.stop();
    }
  });
});

describe('the verifier that auditors take along', () => {
  it('is downloaded as it was built, with its digests, and never shown as a page of the gateway', async () => {
    const sums = await get('/verifier/SHA256SUMS');
    expect(sums.headers['content-type']).toBe('text/plain; charset=utf-8');
    for (const name of ['counterfoil-verify.html', 'counterfoil-verify.mjs']) {
      const { statusCode, rawPayload, headers: sent } = await get(`/verifier/${name}`);
      expect([name, statusCode, sent['content-disposition']]).toEqual([name, 200, `attachment; filename="${name}"`]);
      expect(sums.body).toContain(`${createHash('sha256').update(rawPayload).digest('hex')}  ${name}\n`);
      expect(sent['content-security-policy']).toContain("default-src 'none'");
    }
    expect((await get('/verifier/other.html')).statusCode).toBe(404);
  });
});
