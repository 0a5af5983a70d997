import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Role } from '../../src/authz/actor';
import type { Config } from '../../src/config/load';
import { TestApp, type TestAppOptions } from './app';
import { OtherIssuer } from './other-issuer';

const gateway = 'https://gateway.example';
/** What a page of the gateway's own sends. */
export const ownPage = { host: 'gateway.example', origin: gateway, 'counterfoil-browser': '1', 'sec-fetch-site': 'same-origin' };

export interface FrameKey {
  readonly verifier: string;
  readonly challenge: string;
}
export const frameKey = (): FrameKey => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
};

/** What cookies an answer sets: name and value, and how. */
export const cookiesSet = (headers: Readonly<Record<string, unknown>>) =>
  [headers['set-cookie'] ?? []].flat().map((line) => {
    const [pair = '', ...attributes] = String(line).split('; ');
    const at = pair.indexOf('=');
    return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: attributes.join('; ') };
  });

/** The policy as it is, but for frames that have to be signed for. */
export const signedFor = (...sources: readonly string[]): string =>
  readFileSync('schema/exposure.yaml', 'utf8').replace('signatureRequired: []', `signatureRequired: [${sources.join(', ')}]`);

const teams: Readonly<Record<string, { readonly roles: readonly Role[]; readonly teams: readonly string[] }>> = {
  ana: { roles: ['AGENT'], teams: ['cards'] },
  ben: { roles: ['AGENT'], teams: ['wallets'] },
  sam: { roles: ['SUPERVISOR'], teams: ['cards'] },
  ada: { roles: ['AUDITOR'], teams: [] },
};

/** A gateway at which people sign in with a browser, and whose panel is shown in frames of the helpdesks `demo` and `second`. */
export class FramedApp {
  private constructor(
    readonly test: TestApp,
    readonly issuer: OtherIssuer,
  ) {}

  static async start(embeds: Config['embeds'], options: TestAppOptions = {}, publicUrl = gateway): Promise<FramedApp> {
    const issuer = await OtherIssuer.open();
    const name = issuer.configuration.issuer;
    const provider = { id: 'staff', issuer: name, name: 'Staff', clientId: 'gateway', clientSecret: 'of this test' };
    const test = await TestApp.start({
      ...options,
      config: {
        ...options.config,
        publicUrl,
        issuers: [issuer.configuration],
        signIn: { providers: [{ ...provider, scope: ['openid'], secondFactor: [] }], idleMinutes: 15, hours: 8 },
        embeds,
      },
    });
    return new FramedApp(test, issuer);
  }

  stop(): Promise<void> {
    return this.test.stop();
  }

  later(milliseconds: number): this {
    this.test.clock.forward(milliseconds);
    return this;
  }

  /** The cookie of a browser in which somebody signed in just now. */
  async browser(user: string): Promise<string> {
    const { app, clock } = this.test;
    const person = teams[user];
    if (!app.signIn || !person) throw new Error(`${user} can't sign in`);
    const access = await this.issuer.token(user, person, clock.now());
    const { cookie } = await app.signIn.sessions.begin(
      this.issuer.configuration.issuer,
      { access, refresh: null, id: access, expiresIn: 900 },
      null,
    );
    return cookie;
  }

  async post(url: string, payload: object, headers: Readonly<Record<string, string>> = {}) {
    const answer = await this.test.server.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...ownPage, ...headers },
      payload,
    });
    const body = answer.body === '' ? {} : JSON.parse(answer.body);
    const { code = null, rule = null } = body.errors?.[0]?.extensions ?? {};
    return { status: answer.statusCode, body, code, rule, cookies: cookiesSet(answer.headers), headers: answer.headers };
  }

  /** A code for the frame that has this key. */
  async code(browser: string, { challenge }: FrameKey, source = 'demo'): Promise<string> {
    const { status, body } = await this.post('/frame/codes', { source, challenge }, { cookie: `__Host-counterfoil=${browser}` });
    if (status !== 200) throw new Error(`no code: ${JSON.stringify(body)}`);
    return body.code;
  }

  redeem(code: string, { verifier }: FrameKey, source = 'demo', headers: Readonly<Record<string, string>> = {}) {
    return this.post('/frame/session', { source, verifier, code }, headers);
  }

  /** The cookie of a frame of this browser. */
  async frame(browser: string, source = 'demo'): Promise<string> {
    const key = frameKey();
    const { status, cookies, body } = await this.redeem(await this.code(browser, key, source), key, source);
    const [cookie] = cookies;
    if (status !== 200 || !cookie) throw new Error(`no session: ${JSON.stringify(body)}`);
    return cookie.value;
  }

  /** What the graph answers to a frame. */
  async ask(
    frame: string,
    query: string,
    { source = 'demo', headers = {} }: { readonly source?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    const { status, body } = await this.post(
      '/graphql',
      { query },
      {
        cookie: `__Host-counterfoil-frame-${source}=${frame}`,
        'counterfoil-frame': source,
        ...headers,
      },
    );
    const told = (body.errors ?? []).map((each: { extensions: Record<string, unknown> }) => each.extensions);
    return {
      status,
      data: body.data ?? null,
      reasons: told.map((each: Record<string, unknown>) => each.reason ?? each.code),
      told,
    };
  }
}
