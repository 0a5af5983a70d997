import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type InjectOptions,
  LogController,
} from 'fastify';
import pino from 'pino';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../../test/support/chromium';
import { credentialUpdateKinds } from '../authz/policy/update-policy';
import { Failure } from '../failure';
import {
  type ConfirmationAnswer,
  type ConfirmationDesk,
  type ConfirmationInput,
  type ConfirmationView,
  needsAgreement,
} from '../features/credentials/confirm/confirmation.view';

import { AnswerSteps } from '../privacy/answer-time';
import { SourceUnavailable } from '../upstream/source-unavailable';
import { confirmRoutes, isConfirmAddress, sendDeadLink } from './confirm';
import { withoutGlue } from './confirm/address';

const now = new Date('2026-09-01T09:00:00Z');
const merchant = { merchant: 'Demo Shop', supportUrl: 'https://shop.example.com/help' };
const tokenOf = (name: string): string => name.padEnd(43, '-');
/** May read the graph from elsewhere. */
const trustedOrigin = 'https://desk.example.com';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Asked {
  view: ConfirmationView;
  state: 'OPEN' | 'CONFIRMED' | 'REFUSED' | 'CANCELLED';
  expectedCode: string | null;
  entered: ConfirmationInput | null;
}

/** Updates in memory, by the rules of the interface: one answer each, a code where one is asked for, few tries. */
class DeskInMemory implements ConfirmationDesk {
  readonly updates = new Map<string, Asked>();
  readonly calls: string[] = [];
  failing: Error | null = null;
  onCall: () => void = () => {};

  ask(name: string, view: Partial<ConfirmationView> = {}): string {
    this.updates.set(tokenOf(name), {
      state: 'OPEN',
      expectedCode: null,
      entered: null,
      view: {
        kind: 'REMOVE',
        stage: 'ASKED',
        merchant: 'Demo Shop',
        ticket: '1042',
        askedBy: 'Ana Alvarez',
        reason: 'The card was lost.',
        before: 'Visa •••• 4242, valid until 08/2030',
        after: 'It is removed and can no longer be used for payments.',
        expiresAt: new Date('2026-09-02T08:30:00Z'),
        code: null,
        shown: `shown-${name}`,
        continueAt: null,
        ...view,
      },
    });
    return `/confirm/${tokenOf(name)}`;
  }

  of(name: string): Asked {
    return this.updates.get(tokenOf(name)) as Asked;
  }

  async view(token: string): Promise<ConfirmationView | null> {
    return this.open('view', token)?.view ?? null;
  }

  async sendCode(token: string): Promise<ConfirmationAnswer> {
    const asked = this.open('sendCode', token);
    if (!asked?.view.code) return { outcome: 'dead' };
    asked.expectedCode = '123456';
    asked.view = { ...asked.view, code: { ...asked.view.code, sentTo: '•••• 12', sendsLeft: asked.view.code.sendsLeft - 1 } };
    return { outcome: 'again', view: asked.view, problems: [] };
  }

  async confirm(token: string, input: ConfirmationInput): Promise<ConfirmationAnswer> {
    const asked = this.open('confirm', token);
    if (!asked) return { outcome: 'dead' };
    const again = (field: 'code' | 'city' | 'agreed' | null, message: string): ConfirmationAnswer => ({
      outcome: 'again',
      view: asked.view,
      problems: [{ field, message }],
    });
    if (input.shown !== asked.view.shown) return again(null, 'What is asked has changed.');
    if (asked.view.kind === 'BILLING_ADDRESS' && !input.address?.city) return again('city', 'City: this is needed.');
    if (needsAgreement(asked.view) && !input.agreed) return again('agreed', 'Tick the box.');
    if (asked.view.code && input.code !== asked.expectedCode) return again('code', 'This is not the code.');
    asked.entered = input;
    if (asked.view.kind === 'REPLACE_CARD') {
      asked.view = { ...asked.view, stage: 'AT_PROVIDER', continueAt: 'https://checkout.example.com/c/1' };
      return { outcome: 'continue', view: asked.view };
    }
    asked.state = 'CONFIRMED';
    return { outcome: 'confirmed', view: asked.view, waitsForApproval: false };
  }

  async refuse(token: string, shown: string): Promise<ConfirmationAnswer> {
    const asked = this.open('refuse', token);
    if (!asked) return { outcome: 'dead' };
    if (shown !== asked.view.shown)
      return { outcome: 'again', view: asked.view, problems: [{ field: null, message: 'What is asked has changed.' }] };
    asked.state = 'REFUSED';
    return { outcome: 'refused', view: asked.view };
  }

  private open(call: string, token: string): Asked | undefined {
    this.calls.push(call);
    this.onCall();
    if (this.failing) throw this.failing;
    const asked = this.updates.get(token);
    return asked && asked.state === 'OPEN' && asked.view.expiresAt > now ? asked : undefined;
  }
}

/** The page with all that stands around it in the gateway: helmet, CORS for another origin, the common limit, the log. */
class ConfirmServer {
  readonly desk = new DeskInMemory();
  readonly logLines: string[] = [];
  /** Patterns as the metrics have them. */
  readonly routes: string[] = [];
  readonly server: FastifyInstance;
  private addresses = 0;

  constructor(private readonly answerSteps = new AnswerSteps(5)) {
    const log = pino(
      { level: 'trace', base: null },
      new Writable({
        write: (chunk, _encoding, done) => {
          this.logLines.push(String(chunk));
          done();
        },
      }),
    );
    this.server = Fastify({
      loggerInstance: log as FastifyBaseLogger,
      logController: new LogController({ disableRequestLogging: true }),
      routerOptions: { maxParamLength: 200 },
      rewriteUrl: ({ url = '/' }) => withoutGlue(url),
      frameworkErrors: (_error, request, reply: FastifyReply) => {
        if (isConfirmAddress(request.raw.url)) void sendDeadLink(reply, { ...merchant, answerSteps });
        else reply.code(400).send({});
      },
    });
  }

  async start(): Promise<this> {
    this.server.addHook('onResponse', async (request) => {
      this.routes.push(request.routeOptions.url ?? '(none)');
    });
    await this.server.register(helmet, {
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    });
    await this.server.register(cors, { origin: [trustedOrigin], methods: ['POST'] });
    await this.server.register(rateLimit, { max: 1_000, timeWindow: '1 minute' });
    await this.server.register(confirmRoutes(this.desk, { ...merchant, answerSteps: this.answerSteps, clock: () => now }));
    this.server.get('/elsewhere', async () => ({}));
    await this.server.ready();
    return this;
  }

  /** From an address of its own, so that no limit is reached by the way. */
  send(options: InjectOptions) {
    this.addresses += 1;
    const remoteAddress = `192.0.${Math.floor(this.addresses / 250)}.${this.addresses % 250}`;
    return this.server.inject({ remoteAddress, ...options });
  }

  post(url: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) {
    return this.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams(fields).toString(),
    });
  }
}

/** Everything of an answer but the second at which it left. */
const whole = ({ statusCode, headers, body }: Awaited<ReturnType<ConfirmServer['send']>>) => {
  const { date: _date, ...rest } = headers;
  return { statusCode, headers: rest, body };
};
/** Until what is under way without waiting has had its turns. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('the customer’s page', () => {
  let page: ConfirmServer;
  let desk: DeskInMemory;
  beforeEach(async () => {
    page = await new ConfirmServer().start();
    desk = page.desk;
  });
  afterEach(() => page.server.close());

  describe('opened', () => {
    it('shows what is asked, and changes nothing however often', async () => {
      const url = desk.ask('a');
      const before = structuredClone(desk.of('a'));
      for (const method of ['GET', 'HEAD', 'GET'] as const) {
        const { statusCode, body } = await page.send({ method, url });
        expect(statusCode).toBe(200);
        expect(body.includes('Remove this payment method?')).toBe(method === 'GET');
      }
      expect(desk.of('a')).toEqual(before);
      expect(new Set(desk.calls)).toEqual(new Set(['view']));
    });

    it('holds the token nowhere', async () => {
      expect((await page.send({ url: desk.ask('a') })).body).not.toContain(tokenOf('a'));
    });

    it('is under a policy that lets nothing in, is not kept, found, framed or told onwards', async () => {
      const { headers, body } = await page.send({ url: desk.ask('a') });
      const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? '';
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-robots-tag': 'noindex, nofollow',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    });

    it('can be read by no page of another origin, be it one that may read the graph', async () => {
      const origin = { origin: trustedOrigin, 'access-control-request-method': 'POST' };
      const granted = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control'));
      expect(granted((await page.send({ url: '/elsewhere', headers: origin })).headers)).not.toEqual([]);
      for (const url of [desk.ask('a'), `/confirm/${tokenOf('unknown')}`, '/confirm/returned', '/confirm/x/y'])
        for (const method of ['GET', 'POST', 'OPTIONS'] as const)
          expect(granted((await page.send({ method, url, headers: origin })).headers)).toEqual([]);
    });
  });

  describe('opened by an address to which something was glued', () => {
    it.each(['.', ')', '>', '%3E', '/', '%20', '%E2%80%8B', '%ff', '&gt;', '>.?utm=1'])(
      'such as %j, is that page, and takes its answer',
      async (tail) => {
        const url = `${desk.ask('a')}${tail}`;
        const { statusCode, body } = await page.send({ url });
        expect([statusCode, body.includes('Remove this payment method?')]).toEqual([200, true]);
        expect((await page.send({ url: url.replace('/confirm/', '/confirm/%3C') })).statusCode).toBe(200);
        expect((await page.post(url, { answer: 'refuse', shown: 'shown-a' })).statusCode).toBe(200);
        expect(desk.of('a').state).toBe('REFUSED');
        expect(new Set(page.routes)).toEqual(new Set(['/confirm/:token']));
      },
    );

    it.each(['x', '-', '%41', '/x', `/${tokenOf('a')}`])('such as %j, is none: it could be another token', async (tail) => {
      desk.ask('a');
      const { statusCode } = await page.send({ url: `/confirm/${tokenOf('a')}${tail}` });
      expect([statusCode, desk.calls]).toEqual([404, []]);
    });
  });

  describe('answered by a program that opens the links of a mail', () => {
    /** What the form sends when it is submitted as it was served, by this button. */
    const submitted = (body: string, button: string): Record<string, string> => {
      const fields: Record<string, string> = {};
      for (const [tag] of body.matchAll(/<input[^>]*>/g)) {
        const name = /name="([^"]*)"/.exec(tag)?.[1];
        if (name === undefined || (tag.includes('type="checkbox"') && !/ checked\b/.test(tag))) continue;
        fields[name] = /value="([^"]*)"/.exec(tag)?.[1] ?? '';
      }
      return { ...fields, ...(body.includes('<select') ? { country: '' } : {}), answer: button };
    };

    it.each([...credentialUpdateKinds])('confirms nothing by the first button: %s', async (kind) => {
      const url = desk.ask('a', { kind });
      const { body } = await page.send({ url });
      const first = /<button[^>]* value="([^"]*)"/.exec(body)?.[1] ?? '';
      expect(first).toBe('confirm');
      const answer = await page.post(url, submitted(body, first));
      expect([answer.statusCode, desk.of('a').state, desk.of('a').entered]).toEqual([422, 'OPEN', null]);
      // As served, and as served again with what is wrong.
      const again = await page.post(url, submitted(answer.body, first));
      expect([again.statusCode, desk.of('a').state, desk.of('a').entered]).toEqual([422, 'OPEN', null]);
    });

    it('sends nothing that stands for the choice', async () => {
      const url = desk.ask('a');
      for (const agreed of ['', 'on', 'true', 'no'])
        expect((await page.post(url, { answer: 'confirm', shown: 'shown-a', agreed })).statusCode).toBe(400);
      expect(desk.of('a').state).toBe('OPEN');
    });
  });

  describe('answered', () => {
    it('says thank you once the change is confirmed', async () => {
      const { statusCode, body } = await page.post(desk.ask('a'), { answer: 'confirm', agreed: 'yes', shown: 'shown-a' });
      expect([statusCode, desk.of('a').state]).toEqual([200, 'CONFIRMED']);
      expect(body).toContain('Thank you, you confirmed this change');
    });

    it('says that nothing was changed once it is refused, for which no code is needed', async () => {
      const url = desk.ask('a', { code: { sentTo: null, triesLeft: 5, sendsLeft: 3 } });
      const { statusCode, body } = await page.post(url, { answer: 'refuse', shown: 'shown-a' });
      expect([statusCode, desk.of('a').state]).toEqual([200, 'REFUSED']);
      expect(body).toContain('You said no, nothing was changed');
    });

    it('leads to the provider by a link, never by a redirect, and again when it is opened later', async () => {
      const url = desk.ask('a', { kind: 'REPLACE_CARD' });
      const link = 'rel="noreferrer" href="https://checkout.example.com/c/1"';
      const { statusCode, headers, body } = await page.post(url, { answer: 'confirm', agreed: 'yes', shown: 'shown-a' });
      expect([statusCode, headers.location]).toEqual([200, undefined]);
      expect(body).toContain(link);
      expect((await page.send({ url })).body).toContain(link);
    });

    it('sends a code on demand, keeps the address meanwhile, and takes the code as people type it', async () => {
      const url = desk.ask('a', { kind: 'BILLING_ADDRESS', code: { sentTo: null, triesLeft: 5, sendsLeft: 3 } });
      const address = { line1: ' Marktstraße 12 ', line2: '', city: 'Berlin', state: '', postalCode: '10115', country: 'DE' };
      const sent = await page.post(url, { answer: 'send-code', shown: 'shown-a', ...address });
      expect(sent.statusCode).toBe(200);
      expect(sent.body).toContain('A code is on its way to <bdi>•••• 12</bdi>.');
      expect(sent.body).toContain('value="Marktstraße 12"');
      const { statusCode } = await page.post(url, {
        answer: 'confirm',
        agreed: 'yes',
        shown: 'shown-a',
        code: ' 123–456',
        ...address,
      });
      expect(statusCode).toBe(200);
      expect(desk.of('a').entered).toEqual({
        shown: 'shown-a',
        agreed: true,
        code: '123456',
        address: { ...address, line1: 'Marktstraße 12' },
      });
    });

    it('hands on no address where none was asked for', async () => {
      await page.post(desk.ask('a'), { answer: 'confirm', agreed: 'yes', shown: 'shown-a', city: 'Berlin' });
      expect(desk.of('a').entered).toEqual({ shown: 'shown-a', code: '', address: null, agreed: true });
    });

    it('shows the form again with what is wrong, the address kept and the code not', async () => {
      const url = desk.ask('a', { kind: 'BILLING_ADDRESS', code: { sentTo: '•••• 12', triesLeft: 5, sendsLeft: 3 } });
      const { statusCode, body } = await page.post(url, {
        answer: 'confirm',
        agreed: 'yes',
        shown: 'shown-a',
        code: '987654',
        line1: '"><b>',
        line2: '',
        city: 'Berlin',
        postalCode: '10115',
        country: 'DE',
      });
      expect(statusCode).toBe(422);
      expect(body).toContain('<a href="#code">');
      expect(body).toMatch(/<input id="code" name="code" aria-describedby="code-problem code-hint" aria-invalid="true"/);
      expect(body).toContain('value="&quot;&gt;&lt;b&gt;"');
      expect(body).not.toContain('987654');
      expect(desk.of('a').state).toBe('OPEN');
    });

    it.each([
      ['nothing', {}],
      ['an unknown answer', { answer: 'maybe', shown: 'shown-a' }],
      ['a text without end', { answer: 'confirm', shown: 's'.repeat(300) }],
      ['half an address', { answer: 'confirm', agreed: 'yes', shown: 'shown-a', line1: 'Marktstraße 12' }],
    ])('asks nobody about a form with %s', async (_what, fields) => {
      const { statusCode, body } = await page.post(desk.ask('a'), fields as Record<string, string>);
      expect(statusCode).toBe(400);
      expect(body).toContain('We could not read this answer');
      expect(desk.calls).toEqual([]);
    });

    it.each([
      [400, 'application/x-www-form-urlencoded', 'answer=confirm&answer=refuse&shown=shown-a'],
      [400, 'application/x-www-form-urlencoded', 'answer=refuse&shown=shown-a&%61nswer=confirm'],
      [413, 'application/x-www-form-urlencoded', `answer=confirm&code=${'1'.repeat(8 * 1024)}`],
      [415, 'application/json', '{"answer":"confirm","shown":"shown-a"}'],
      [415, 'text/plain', 'answer=confirm&shown=shown-a'],
      [415, 'multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="answer"\r\n\r\nconfirm\r\n--x--'],
    ])('answers %i in a page to %s that is no form of this page', async (status, type, payload) => {
      const { statusCode, headers, body } = await page.send({
        method: 'POST',
        url: desk.ask('a'),
        headers: { 'content-type': type },
        payload,
      });
      expect([statusCode, headers['content-type']]).toEqual([status, 'text/html; charset=utf-8']);
      expect(body).toContain('Nothing was changed.');
      expect(desk.calls).toEqual([]);
    });
  });

  describe('with a link that can’t be used', () => {
    const deadLinks = async (): Promise<Readonly<Record<string, string>>> => {
      const links = {
        unknown: `/confirm/${tokenOf('unknown')}`,
        confirmed: desk.ask('confirmed'),
        refused: desk.ask('refused'),
        expired: desk.ask('expired', { expiresAt: now }),
        cancelled: desk.ask('cancelled'),
      };
      await page.post(links.confirmed, { answer: 'confirm', agreed: 'yes', shown: 'shown-confirmed' });
      await page.post(links.refused, { answer: 'refuse', shown: 'shown-refused' });
      desk.of('cancelled').state = 'CANCELLED';
      return links;
    };

    it('is the same page, in every byte and header, whatever became of it and however it is asked', async () => {
      const links = await deadLinks();
      const expected = whole(await page.send({ url: `/confirm/${tokenOf('unknown')}` }));
      expect(expected.statusCode).toBe(404);
      expect(expected.body).toContain('If you answered already, nothing more is to be done.');
      for (const [name, url] of Object.entries(links)) {
        const answers = [
          await page.send({ url }),
          ...(await Promise.all(
            ['confirm', 'refuse', 'send-code'].map((answer) => page.post(url, { answer, shown: `shown-${name}` })),
          )),
        ];
        for (const answer of answers) expect({ name, ...whole(answer) }).toEqual({ name, ...expected });
        expect(whole(await page.send({ method: 'HEAD', url }))).toEqual({ ...expected, body: '' });
      }
    });

    it.each([
      ['too short', 'a'.repeat(42)],
      ['too long', 'a'.repeat(44)],
      ['of other letters', `${'a'.repeat(42)}.`],
      ['far too long', 'a'.repeat(2_000)],
      ['encoded in vain', '%ff'],
      ['encoded by halves', '%'],
      ['nothing', ''],
      ['a path', 'a/b'],
      ['a path upwards', '%2e%2e%2fgraphql'],
      ['a place where the provider sends nobody', 'returned/'],
    ])('is that page for a token that is %s, and nobody is asked', async (_what, odd) => {
      const expected = whole(await page.send({ url: `/confirm/${tokenOf('unknown')}` }));
      desk.calls.length = 0;
      const { statusCode, headers, body } = await page.send({ url: `/confirm/${odd}` });
      expect([statusCode, body]).toEqual([404, expected.body]);
      for (const name of ['content-type', 'content-security-policy', 'referrer-policy', 'cache-control', 'x-robots-tag'])
        expect(headers[name]).toBe(expected.headers[name]);
      expect(desk.calls).toEqual([]);
    });

    it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const)('is that page for %s, and nobody is asked', async (method) => {
      const { statusCode, body } = await page.send({ method, url: desk.ask('a') });
      expect([statusCode, body.includes('This link can’t be used')]).toEqual([404, true]);
      expect(desk.calls).toEqual([]);
    });

    it('leaves in steps of 100 ms, however soon it was known', async () => {
      await page.server.close();
      page = await new ConfirmServer(new AnswerSteps()).start();
      desk = page.desk;
      const links = await deadLinks();
      jest.useFakeTimers({ now, doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate'] });
      try {
        for (const [url, took] of [
          [links.unknown, 3],
          [links.confirmed, 30],
          [links.expired, 130],
          ['/confirm/odd', 0],
        ] as const) {
          desk.onCall = () => void jest.advanceTimersByTime(took);
          let isAnswered = false;
          const answer = page.send({ url: url as string }).finally(() => {
            isAnswered = true;
          });
          await settled();
          jest.advanceTimersByTime(99 - (took % 100));
          await settled();
          expect({ url, isAnswered }).toEqual({ url, isAnswered: false });
          jest.advanceTimersByTime(1);
          expect((await answer).statusCode).toBe(404);
        }
      } finally {
        jest.useRealTimers();
      }
    });
  });

  describe('where the provider sends the browser back', () => {
    it.each([
      ['returned', 'You are back from the payment provider'],
      ['cancelled', 'You left the payment provider’s page'],
    ])('is plain at %s and asks nobody', async (place, heading) => {
      const { statusCode, headers, body } = await page.send({ url: `/confirm/${place}?session=${'s'.repeat(300)}` });
      expect([statusCode, headers['cache-control']]).toEqual([200, 'no-store']);
      expect(body).toContain(heading);
      expect(body).not.toContain('sss');
      expect((await page.post(`/confirm/${place}`, { answer: 'confirm', shown: '' })).statusCode).toBe(404);
      expect(desk.calls).toEqual([]);
    });
  });

  describe('in the hands of somebody else', () => {
    it.each(['Bearer x', 'Basic eDp5', ''])(
      'refuses who says to be of the staff (%j), before anybody is asked',
      async (authorization) => {
        const url = desk.ask('a');
        const headers = { authorization };
        for (const answer of [
          await page.send({ url, headers }),
          await page.post(url, { answer: 'confirm', agreed: 'yes', shown: 'shown-a' }, headers),
          await page.send({ url: `/confirm/${tokenOf('unknown')}`, headers }),
        ]) {
          expect(answer.statusCode).toBe(403);
          expect(answer.body).toContain('This page is for the customer alone');
        }
        expect([desk.of('a').state, desk.calls]).toEqual(['OPEN', []]);
      },
    );

    it.each([
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'null' },
      { origin: 'https://elsewhere.example' },
      { origin: 'http://localhost:81' },
      { origin: 'http://localhost:80.elsewhere.example' },
      { origin: 'nonsense' },
      { origin: trustedOrigin, 'sec-fetch-site': 'cross-site' },
    ])('refuses an answer from another site, as %j says', async (headers) => {
      const { statusCode, body } = await page.post(
        desk.ask('a'),
        { answer: 'confirm', agreed: 'yes', shown: 'shown-a' },
        headers as Record<string, string>,
      );
      expect([statusCode, desk.of('a').state, desk.calls]).toEqual([403, 'OPEN', []]);
      expect(body).toContain('This answer came from another site');
    });

    it.each([
      {},
      { 'sec-fetch-site': 'same-origin', origin: 'null' },
      { 'sec-fetch-site': 'none' },
      { origin: 'null' },
      { origin: 'http://localhost' },
      { origin: 'https://confirm.example.com', host: 'Confirm.example.com' },
    ])('takes an answer of its own page, as %j says', async (headers) => {
      const { statusCode } = await page.post(
        desk.ask('a'),
        { answer: 'confirm', agreed: 'yes', shown: 'shown-a' },
        headers as Record<string, string>,
      );
      expect([statusCode, desk.of('a').state]).toEqual([200, 'CONFIRMED']);
    });

    it('opens from a link on any site: a mail is read anywhere', async () => {
      const headers = { 'sec-fetch-site': 'cross-site' };
      expect((await page.send({ url: desk.ask('a'), headers })).statusCode).toBe(200);
    });

    it('answers 60 requests a minute from one address, whatever they ask, and then says when to come back', async () => {
      const url = desk.ask('a');
      const remoteAddress = '2001:db8:1:2::1';
      for (let count = 0; count < 30; count += 1) {
        expect((await page.send({ url, remoteAddress })).statusCode).toBe(200);
        expect((await page.send({ url: '/confirm/returned', remoteAddress: '2001:db8:1:2::2' })).statusCode).toBe(200);
      }
      desk.calls.length = 0;
      const { statusCode, headers, body } = await page.post(url, { answer: 'confirm', agreed: 'yes', shown: 'shown-a' }, {});
      expect([statusCode, headers['retry-after']]).toEqual([200, undefined]);
      expect(body).toContain('Thank you');
      for (const limited of [
        await page.send({ url, remoteAddress }),
        await page.send({ method: 'POST', url, remoteAddress }),
        await page.send({ url: '/confirm/x/y', remoteAddress }),
      ]) {
        expect([limited.statusCode, limited.headers['content-type']]).toEqual([429, 'text/html; charset=utf-8']);
        expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
        expect(limited.body).toContain('Wait a minute, then open the link in your message again.');
      }
      expect(desk.calls).toEqual(['confirm']);
      expect((await page.send({ url: '/elsewhere', remoteAddress })).statusCode).toBe(200);
    });
  });

  describe('when something fails', () => {
    it.each([
      [429, new Failure('RATE_LIMITED', 'Too many codes.', { retryAfter: 600 }), 'Wait 10 minutes'],
      [503, new Failure('UPSTREAM_UNAVAILABLE', 'A source does not answer.'), 'again in a few minutes'],
      [503, new SourceUnavailable('demo-pay', 'timeout'), 'again in a few minutes'],
      [409, new Failure('CONFLICT', 'The update is APPLIED.'), 'Something changed meanwhile'],
    ])('says so in a page (%i), in words for a customer', async (status, error, words) => {
      const url = desk.ask('a');
      desk.failing = error;
      for (const answer of [
        await page.send({ url }),
        await page.post(url, { answer: 'confirm', agreed: 'yes', shown: 'shown-a' }),
      ]) {
        expect([answer.statusCode, answer.headers['cache-control']]).toEqual([status, 'no-store']);
        expect(answer.body).toContain(words);
        expect(answer.body).not.toContain(error.message);
      }
      expect(page.logLines).toEqual([]);
    });

    it.each([
      ['an error that nobody expected', new Error('secret of 4242')],
      ['a failure that is none of a customer’s', new Failure('DENIED', 'secret of 4242', { reason: 'ROLE' })],
      ['an error with a status of its own', Object.assign(new Error('secret of 4242'), { statusCode: 500 })],
    ])('promises nothing after %s, and logs it under the request’s id', async (_what, error) => {
      const url = desk.ask('a');
      desk.failing = error;
      const { statusCode, body } = await page.post(url, { answer: 'confirm', agreed: 'yes', shown: 'shown-a', code: '123456' });
      expect(statusCode).toBe(500);
      expect(body).toContain('Open the link in your message again to see where it stands.');
      expect(body).not.toMatch(/secret|Nothing was changed/);
      expect(page.logLines.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({ msg: 'a request failed', requestId: expect.any(String), level: 50 }),
      ]);
      expect(page.logLines.join('')).not.toMatch(/secret|4242|confirm\/|123456/);
    });
  });

  it('leaves patterns in what is counted, and nothing of addresses or entries in the log', async () => {
    const url = desk.ask('a', { kind: 'BILLING_ADDRESS' });
    const typed = {
      line1: 'Marktstraße 12',
      line2: '',
      city: 'Berlin',
      state: 'Zqstate',
      postalCode: '10115',
      country: 'DE',
      code: '123456',
    };
    await page.send({ url });
    await page.post(url, { answer: 'confirm', agreed: 'yes', shown: 'shown-a', ...typed });
    await page.send({ url: '/confirm/returned?session=secret' });
    await page.send({ url: '/confirm/secret/path' });
    await page.send({ url: '/confirm/secret%ff' });
    await page.send({ url: `/confirm/${'secret'.repeat(100)}` });
    await page.send({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload: '{"secret"' });
    expect(new Set(page.routes)).toEqual(new Set(['/confirm/:token', '/confirm/returned', '/confirm/*']));
    expect(page.logLines.join('')).not.toMatch(/secret|Marktstra|Zqstate|10115|123456|---/);
  });
});

describe('the customer’s page in a browser', () => {
  const sizes = [
    { width: 320, height: 640 },
    { width: 1280, height: 800 },
  ];
  let page: ConfirmServer;
  let browser: Browser | null = null;
  let address = '';
  const requested: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    page = await new ConfirmServer().start();
    await page.server.listen({ host: '127.0.0.1', port: 0 });
    address = `http://127.0.0.1:${(page.server.server.address() as AddressInfo).port}`;
    requested.length = 0;
    complaints.length = 0;
  });
  afterEach(() => page.server.close());

  const open = async (path: string, options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await (browser as Browser).newContext(options);
    const tab = await context.newPage();
    tab.on('request', (request) => requested.push(request.url()));
    tab.on('console', (message) => complaints.push(message.text()));
    tab.on('pageerror', (error) => complaints.push(error.message));
    tab.setDefaultTimeout(60_000);
    await tab.goto(`${address}${path}`);
    return tab;
  };
  const withCode = { code: { sentTo: null, triesLeft: 5, sendsLeft: 3 } };

  it.each((['light', 'dark'] as const).flatMap((colorScheme) => sizes.map((viewport) => ({ colorScheme, viewport }))))(
    'is accessible and fits, as $colorScheme as it may be and $viewport.width wide',
    async ({ colorScheme, viewport }) => {
      if (!browser) return;
      const url = page.desk.ask('a', {
        kind: 'BILLING_ADDRESS',
        reason: 'W'.repeat(300),
        askedBy: '\u202eevil',
        ...withCode,
      });
      const replaced = page.desk.ask('b', { kind: 'REPLACE_CARD' });
      const comesBack = page.desk.ask('c', {
        kind: 'REPLACE_CARD',
        stage: 'AT_PROVIDER',
        code: { sentTo: '•••• 12', triesLeft: 5, sendsLeft: 3 },
      });
      // The policy keeps out the checker’s own script; that nothing of the page needs more is seen below.
      const tab = await open(url, { colorScheme, viewport, bypassCSP: true });
      const check = async (state: string) => {
        await tab.addScriptTag({ content: axe });
        // Of the countries one is as good as all, and much sooner seen.
        const found = await tab.evaluate<{ violations: string[]; isTooWide: boolean }>(`(async () => {
        const { violations } = await axe.run({ exclude: ['option + option'] });
        const { scrollWidth, clientWidth } = document.documentElement;
        return {
          violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')),
          isTooWide: scrollWidth > clientWidth,
        };
      })()`);
        expect({ state, ...found }).toEqual({ state, violations: [], isTooWide: false });
      };
      const press = (name: RegExp) => tab.getByRole('button', { name }).click();
      await check('asked, no code yet');
      await press(/^Send me the code/);
      await check('asked, with a code');
      await tab.getByLabel('Street and house number').fill('Marktstraße 12');
      await tab.getByLabel('Town or city').fill('Berlin');
      await tab.getByLabel(/^State, province/).fill('Berlin');
      await tab.getByLabel('Country', { exact: true }).selectOption({ label: 'Germany' });
      await tab.getByLabel('Code from the message').fill('000000');
      await press(/^Yes/);
      await check('asked again');
      await tab.getByLabel('Code from the message').fill('123456');
      await press(/^Yes/);
      await tab.getByRole('heading', { name: 'Thank you' }).waitFor();
      await check('confirmed');
      await tab.goto(`${address}${url}`);
      await check('dead');
      await tab.goto(`${address}${replaced}`);
      await check('asked, with a choice');
      await tab.evaluate('document.querySelector("form").noValidate = true');
      await press(/^Yes/);
      await tab.getByRole('link', { name: 'Tick the box.' }).click();
      await check('asked again, with a choice');
      await tab.getByRole('checkbox').check();
      await press(/^Yes/);
      await tab.getByRole('heading', { name: 'Enter your new card' }).waitFor();
      await check('at the provider');
      await tab.goto(`${address}${comesBack}`);
      await check('at the provider, with a code');
      await tab.goto(`${address}/confirm/returned`);
      await check('returned');
      await tab.context().close();
    },
    180_000,
  );

  it('works without JavaScript, from the code over a mistake to the end', async () => {
    if (!browser) return;
    const tab = await open(page.desk.ask('a', withCode), { javaScriptEnabled: false });
    await tab.getByRole('button', { name: 'Send me the code' }).click();
    await tab.getByText('A code is on its way').waitFor();
    await tab.getByLabel('Code from the message').fill('000000');
    await tab.getByRole('button', { name: /^Yes/ }).click();
    await tab.getByRole('link', { name: 'This is not the code.' }).click();
    await tab.getByLabel('Code from the message').fill('123 456');
    await tab.getByRole('button', { name: /^Yes/ }).click();
    await tab.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(page.desk.of('a').state).toBe('CONFIRMED');
    await tab.context().close();
  });

  it('works by keyboard alone: the focus is seen, Enter in the code says yes, the first problem is one key away', async () => {
    if (!browser) return;
    const tab = await open(page.desk.ask('a', withCode));
    const focused = () =>
      tab.evaluate<{ text: string; id: string; outline: string }>(`(() => {
        const { textContent, id } = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        return { text: textContent.trim(), id, outline: outlineStyle + ' ' + outlineWidth };
      })()`);
    await tab.keyboard.press('Tab');
    expect(await focused()).toEqual({ text: 'Send me the code', id: '', outline: 'solid 3px' });
    await tab.keyboard.press('Enter');
    await tab.getByText('A code is on its way').waitFor();
    await tab.keyboard.press('Tab');
    expect(await focused()).toMatchObject({ id: 'code', outline: 'solid 3px' });
    await tab.keyboard.type('000000');
    await tab.keyboard.press('Enter');
    await tab.getByRole('link', { name: 'This is not the code.' }).waitFor();
    await tab.keyboard.press('Tab');
    expect(await focused()).toMatchObject({ text: 'This is not the code.', outline: 'solid 3px' });
    await tab.keyboard.press('Enter');
    expect(await focused()).toMatchObject({ id: 'code' });
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Tab');
    expect(await focused()).toMatchObject({ text: 'No, I did not ask for this' });
    await tab.keyboard.press('Enter');
    await tab.getByRole('heading', { name: 'You said no' }).waitFor();
    expect(page.desk.of('a').state).toBe('REFUSED');
    await tab.context().close();
  });

  it('asks nothing of anybody else, is stopped by its own policy in nothing, and gives no address away', async () => {
    if (!browser) return;
    const url = page.desk.ask('a', {
      kind: 'REPLACE_CARD',
      reason: '<img src="https://elsewhere.example/i"> https://elsewhere.example',
    });
    const tab = await open(url);
    await tab.getByRole('checkbox').check();
    await tab.getByRole('button', { name: /^Yes/ }).click();
    await tab.getByRole('link', { name: 'Go on to the payment provider' }).waitFor();
    expect(await tab.evaluate(`getComputedStyle(document.querySelector('main')).maxWidth`)).toBe('640px');
    expect(requested).toEqual([`${address}${url}`, `${address}${url}`]);
    expect(complaints).toEqual([]);
    const asked = tab.context().waitForEvent('request', (request) => request.url().startsWith('https://checkout.example.com/'));
    await tab.context().route('https://checkout.example.com/**', (route) => route.fulfill({ body: 'card' }));
    await tab.getByRole('link', { name: 'Go on to the payment provider' }).click();
    expect((await (await asked).allHeaders()).referer).toBeUndefined();
    await tab.context().close();
  });
});
