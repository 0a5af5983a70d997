import { TestApp } from '../support/app';

describe('the customer’s page in the gateway', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ sync: false, config: { corsOrigins: ['https://desk.example.com'] } });
  });
  afterAll(() => app.stop());

  it.each([
    ['that nobody was sent', 'secret'.padEnd(43, 'x')],
    ['that is none', 'secret'],
    ['that no router reads', 'secret%ff'],
    ['that is longer than any', 'secret'.repeat(50)],
    ['with more behind it', 'secret/graphql'],
  ])('says of a link %s that it can’t be used, and repeats it nowhere', async (_what, token) => {
    const { statusCode, headers, body } = await app.server.inject({
      url: `/confirm/${token}`,
      headers: { origin: 'https://desk.example.com' },
    });
    expect(statusCode).toBe(404);
    expect(body).toContain('<h1>This link can’t be used</h1>');
    expect(body).toContain('<header><bdi>Demo Shop</bdi></header>');
    expect(String(headers['content-security-policy'])).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    const { body: metrics } = await app.server.inject({ url: '/metrics' });
    expect(`${body}${metrics}${app.logLines.join('')}`).not.toContain('secret');
  });

  it('counts and logs the pattern', async () => {
    await app.server.inject({ url: `/confirm/${'x'.repeat(43)}` });
    expect((await app.server.inject({ url: '/metrics' })).body).toContain('route="/confirm/:token"');
    expect(app.logLines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: 'request', route: '/confirm/:token', method: 'GET', status: 404 }),
    );
  });

  it('keeps an address elsewhere that no router reads to what it was', async () => {
    const { statusCode, headers } = await app.server.inject({ url: '/graphql/%ff' });
    expect([statusCode, headers['content-type']]).toEqual([400, 'application/json; charset=utf-8']);
  });

  it('refuses whoever comes with a staff session', async () => {
    const authorization = `Bearer ${await app.token('ana')}`;
    const { statusCode, body } = await app.server.inject({ url: `/confirm/${'x'.repeat(43)}`, headers: { authorization } });
    expect(statusCode).toBe(403);
    expect(body).toContain('This page is for the customer alone');
  });
});
