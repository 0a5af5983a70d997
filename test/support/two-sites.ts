import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { browserArguments, wholeChromium } from './chromium';

/** A port that nothing listens at just now. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** A site of its own to browsers (`*.localhost`), whose pages are this text. */
export class Site {
  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async open(name: string, page: () => string, headers: Readonly<Record<string, string>> = {}): Promise<Site> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers });
      response.end(`<!doctype html>${page()}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Site(server, `http://${name}.localhost:${(server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A page of `top` whose reader said that frames of `embedded` may have their own cookies in it. */
export interface Granted {
  readonly top: string;
  readonly embedded: string;
}

/** A browser that blocks third-party cookies; null where there is none on this machine. Nobody else who asks for them is granted any. */
export const strictBrowser = async (
  granted: readonly Granted[],
): Promise<{ readonly context: BrowserContext; close(): Promise<void> } | null> => {
  const executablePath = wholeChromium();
  if (executablePath === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'browser-'));
  mkdirSync(join(folder, 'Default'));
  const exceptions = Object.fromEntries(granted.map(({ top, embedded }) => [`${embedded},${top}`, { setting: 1 }]));
  writeFileSync(
    join(folder, 'Default', 'Preferences'),
    JSON.stringify({
      profile: {
        cookie_controls_mode: 1,
        block_third_party_cookies: true,
        content_settings: { exceptions: { storage_access: exceptions } },
      },
    }),
  );
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...browserArguments],
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
