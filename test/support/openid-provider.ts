import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A provider that runs as a process of its own, until `stop`. */
export class OpenIdProvider {
  private constructor(
    private readonly child: ChildProcess,
    readonly issuer: string,
  ) {}

  static async start(redirectUri: string): Promise<OpenIdProvider> {
    const child = spawn(process.execPath, [join(__dirname, 'run-openid-provider.mjs'), redirectUri], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const issuer = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      child.once('exit', () => reject(new Error('the OpenID provider ended before it said its address')));
    });
    return new OpenIdProvider(child, issuer);
  }

  stop(): void {
    this.child.stdin?.end();
  }

  get ended(): Promise<void> {
    if (this.child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => this.child.once('exit', () => resolve()));
  }
}

/** A browser with cookies of its own at the provider, that signs in as whoever it is told to and stops where it is sent back. */
export class ProviderBrowser {
  private readonly cookies = new Map<string, string>();

  private async request(url: string, body?: URLSearchParams): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie }, ...(body ? { method: 'POST', body } : {}) });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  /** From the address that the gateway sent it to, to the one that the provider sends it back to. */
  async signIn(url: string, user: string, { secondFactor = false } = {}): Promise<URL> {
    const { origin } = new URL(url);
    let at = url;
    let response = await this.request(at);
    for (let step = 0; step < 20; step += 1) {
      const location = response.headers.get('location');
      if (location === null) {
        const page = await response.text();
        response = await this.request(at, new URLSearchParams(answerTo(page, user, secondFactor)));
        continue;
      }
      at = new URL(location, at).href;
      if (new URL(at).origin !== origin) return new URL(at);
      response = await this.request(at);
    }
    throw new Error('the provider went on asking');
  }

  /** At the address where the demo people's provider ends its own session. */
  async signOut(url: string): Promise<void> {
    const page = await (await this.request(url)).text();
    const [, action = '', xsrf = ''] = /action="([^"]+)"><input type="hidden" name="xsrf" value="([^"]+)"/.exec(page) ?? [];
    await this.request(action, new URLSearchParams({ xsrf, logout: 'yes' }));
  }
}

/** What somebody answers to a page: of the demo people's provider, or of one that asks whoever comes to type a name. */
const answerTo = (page: string, user: string, secondFactor: boolean): Record<string, string> => {
  const code = /id="current">(\d{6})</.exec(page)?.[1];
  if (code !== undefined) return secondFactor ? { person: user, act: 'code', code } : { person: user, act: 'without' };
  if (page.includes('name="person"')) return { person: user };
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
  if (prompt === undefined) throw new Error(`the provider shows no form: ${page.slice(0, 400)}`);
  return { prompt, login: user, password: 'any' };
};
