import type { Frame } from 'playwright-core';
import { readContext } from '../../src/features/embeds/signed-contexts';
import { builtConsole } from '../support/built-console';
import { FramedApp, signedFor } from '../support/framed';
import { strictBrowser } from '../support/two-sites';
import { RtPeople, rtConnection } from './rt';

const connection = rtConnection();
const rt = new RtPeople(connection);
const gateway = connection.gatewayUrl ?? 'http://gateway.localhost:0';
const signed = { kind: 'rt' as const, secret: connection.contextSecret };

/** What stands beside a ticket that somebody looks at. */
const panelOf = async (name: string, ticket: string) => {
  const response = await fetch(`${connection.url}/Ticket/Display.html?id=${ticket}`, {
    headers: { authorization: `token ${rt.person(name).token}` },
  });
  const page = await response.text();
  const [, source, reference, context] =
    /<counterfoil-panel source="([^"]*)" reference="([^"]*)" context="([^"]*)">/.exec(page) ?? [];
  const [, script] = /<script src="([^"]*panel\.js)" async>/.exec(page) ?? [];
  return { source, reference, context: context ?? '', script };
};

describe('our extension in a real Request Tracker', () => {
  let ticket = '';
  beforeAll(async () => {
    ticket = await rt.create('ana', { Queue: 'Cards', Subject: 'Declined', Requestor: 'kim@customers.example', Owner: 'ana' });
  });

  it('signs who looks at which ticket, anew at each look, for its gateway and a minute', async () => {
    const before = Math.floor(Date.now() / 1_000);
    const [first, second, others] = [await panelOf('ana', ticket), await panelOf('ana', ticket), await panelOf('sam', ticket)];
    expect(first).toMatchObject({ source: 'rt', reference: ticket, script: `${gateway}/embed/panel.js` });
    const read = (context: string, at = new Date()) => readContext(context, { signed, address: `${gateway}/embed/rt`, now: at });
    expect(await read(first.context)).toMatchObject({ user: { name: 'ana' }, reference: ticket });
    expect(await read(others.context)).toMatchObject({ user: { name: 'sam' }, reference: ticket });
    expect((await read(first.context)).once).not.toBe((await read(second.context)).once);
    const claims = JSON.parse(Buffer.from(first.context.split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(claims.exp - claims.iat).toBe(60);
    expect(claims.iat).toBeGreaterThanOrEqual(before);
    await expect(read(first.context, new Date((claims.iat + 71) * 1_000))).rejects.toMatchObject({ why: 'context-age' });
    const other = { kind: 'rt' as const, secret: 'a secret of somebody else alone' };
    await expect(
      readContext(first.context, { signed: other, address: `${gateway}/embed/rt`, now: new Date() }),
    ).rejects.toMatchObject({ why: 'context-signature' });
  });

  it('shows the gateway’s frame in its page, which takes what was signed', async () => {
    const desk = await FramedApp.start(
      [{ source: 'rt', origins: [connection.url], signed }],
      { consoleFolder: builtConsole(), policy: signedFor('rt') },
      gateway,
    );
    desk.test.clock.forward(Date.now() - desk.test.clock.now().getTime());
    await desk.test.server.listen({ host: '127.0.0.1', port: Number(new URL(gateway).port) });
    const browser = await strictBrowser([]);
    try {
      if (!browser) return;
      const page = await browser.context.newPage();
      await page.setExtraHTTPHeaders({ authorization: `token ${rt.person('ana').token}` });
      const taken = page.waitForResponse((response) => response.url() === `${gateway}/frame/contexts`);
      // The token is for RT alone.
      await page.route(`${gateway}/**`, (route) => {
        const { authorization: _, ...headers } = route.request().headers();
        return route.continue({ headers });
      });
      await page.goto(`${connection.url}/Ticket/Display.html?id=${ticket}`);
      expect((await taken).status()).toBe(200);
      const frame = page.frames().find((each) => each.url().startsWith(gateway)) as Frame;
      expect(frame.url()).toBe(`${gateway}/embed/rt/${ticket}`);
      await frame.getByRole('button', { name: 'Sign in' }).waitFor();
    } finally {
      await browser?.close();
      await desk.stop();
    }
  });
});
