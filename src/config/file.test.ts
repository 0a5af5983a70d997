import { mkdirSync } from 'node:fs';
import { configFolder, placesOf, problemsOf, real, secrets } from '../../test/support/config-folder';
import { ConfigInvalid } from './problems';

const { file, load, loadFile } = configFolder();

describe('the file', () => {
  test('is read, with its secrets from the environment', () => {
    const { sources, issuers, sync, demo } = loadFile(real, secrets);
    expect(sources.helpdesk[0]).toMatchObject({ kind: 'rt', token: 'canary-rt', webhookSecret: 'canary-rt-secret', teams: {} });
    expect(sources.payments[0]).toMatchObject({ kind: 'stripe', apiKey: 'canary-stripe' });
    expect(issuers[0]).toMatchObject({ issuer: 'https://id.example.com', audience: ['counterfoil'], clockSkewSeconds: 30 });
    expect([sync.windowDays, sync.assignmentBoundSeconds, demo]).toEqual([90, 30, null]);
  });

  test('with ten mistakes is answered with ten lines that say where and what', () => {
    const text = `sources:
  helpdesk:
    - kind: rt
      name: Desk One
      url: ftp://canary.example.com
      token: canary-token-in-clear
      queues: []
    - kind: zendesk-canary
      name: two
  payments:
    - kind: stripe
      name: pay
      apiKey: \${STRIPE_KEY}
      api_key: canary
    - kind: demo
      name: pay
      helpdesk: nowhere
identity:
  issuers:
    - issuer: https://id.example.com
      audience: counterfoil
      jwksUri: http://canary.example.com/jwks
      algorithms: [HS256]
sync:
  windowDays: canary
  pollSeconds: 0
`;
    const work = () => loadFile(text);
    expect(problemsOf(work, ['canary'])).toEqual(
      expect.arrayContaining([
        'sources.helpdesk[0].name: expected a short name: lower-case letters, digits and hyphens',
        'sources.helpdesk[0].url: expected an address such as https://rt.example.com',
        'sources.helpdesk[0].token: expected an environment reference such as ${RT_TOKEN}: secrets do not belong in this file',
        expect.stringMatching(/^sources\.helpdesk\[0\]\.queues: /),
        'sources.helpdesk[1].kind: expected a known kind: rt or demo for a helpdesk, stripe or demo for payments',
        expect.stringMatching(/^sources\.payments\[0\]\.apiKey: the environment has no STRIPE_KEY/),
        'sources.payments[0]: unknown name "api_key"',
        'sources.payments[1].name: expected a name that no other source has',
        'sources.payments[1].helpdesk: expected the name of a helpdesk source: two',
        expect.stringMatching(/^identity\.issuers\[0\]\.jwksUri: must be https/),
        expect.stringMatching(/^identity\.issuers\[0\]\.algorithms\[0\]: a signature algorithm/),
        expect.stringMatching(/^sync\.windowDays: expected number/),
        expect.stringMatching(/^sync\.pollSeconds: /),
      ]),
    );
    expect(problemsOf(work)).toHaveLength(13);
  });

  test.each(['account', 'stripeAccount', 'connectedAccount', 'Stripe-Account'])(
    'that names a connected account of Stripe (%s) is refused, with what to do instead',
    (name) => {
      const text = real.replace('bareReferencesOf: rt', `${name}: acct_canary`);
      expect(text).toContain('acct_canary');
      expect(problemsOf(() => loadFile(text, secrets), ['canary'])).toEqual([
        `sources.payments[0].${name}: connected accounts (Stripe-Account) aren’t read: make a source with a key of that account itself`,
      ]);
    },
  );

  test('has its mistakes with the file’s name and the line', () => {
    try {
      loadFile(
        'sources:\n  helpdesk:\n    - kind: demo\n      name: "Not A Name"\n  payments:\n    - { kind: demo, name: pay, helpdesk: demo }\n',
      );
      throw new Error('it was taken');
    } catch (error) {
      expect((error as ConfigInvalid).problems[0]).toEqual({
        in: file(),
        at: 'sources.helpdesk[0].name',
        line: 4,
        expected: expect.any(String),
      });
      expect((error as Error).message).toContain(`${file()}:4  sources.helpdesk[0].name: `);
    }
  });

  test.each([
    ['nothing', ''],
    ['a comment only', '# nothing yet\n'],
    ['null', 'null'],
    ['a list', '- sources'],
    ['a text', 'canary'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
    ['broken YAML', 'sources: [\n  canary: {\n'],
    ['tabs', 'sources:\n\thelpdesk: []\n'],
    ['a key twice', 'sources: {}\nsources: {}\n'],
    ['an alias to nothing', 'sources: *canary\n'],
    ['an alias to itself', 'sources: &a [*a]\n'],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(9)}]`)
        .join('\n')}\n`,
    ],
    ['an unknown tag', 'sources: !!js/function "canary"\n'],
    ['__proto__', '__proto__: { production: false }\nsources: {}\n'],
    ['bytes', '\u0000\u0001\u0002'],
    ['an unknown section', `${real}\ncanaries: 5\n`.replace('canaries', 'unknown')],
    ['no helpdesk', 'sources: { helpdesk: [], payments: [{ kind: demo, name: pay, helpdesk: demo }] }\n'],
    ['no sources', 'sync: { windowDays: 5 }\n'],
    ['sources under a name', 'sources: { helpdesk: { demo: { kind: demo } }, payments: [] }\n'],
  ])('of %s is refused in words', (_name, text) => {
    expect(problemsOf(() => loadFile(text, secrets)).length).toBeGreaterThan(0);
    expect(({} as Record<string, unknown>).production).toBeUndefined();
  });

  test.each(['canary-literal', '$STRIPE_KEY', '${stripe_key}', ' ${STRIPE_KEY}', '${STRIPE_KEY}x', '${}', '${PATH}${HOME}'])(
    'takes no secret that is not a reference: %s',
    (text) => {
      const places = placesOf(() => loadFile(real.replace("'${STRIPE_KEY}'", JSON.stringify(text)), secrets));
      expect(places).toEqual(['sources.payments[0].apiKey']);
    },
  );

  test('names each variable that its references miss, an empty one too', () => {
    expect(problemsOf(() => loadFile(real, { STRIPE_KEY: '' })).map((problem) => problem.split(',')[0])).toEqual([
      'sources.helpdesk[0].token: the environment has no RT_TOKEN',
      'sources.helpdesk[0].webhookSecret: the environment has no RT_SECRET',
      'sources.payments[0].apiKey: the environment has no STRIPE_KEY',
    ]);
  });

  test('names Radar’s lists by their aliases, one or one for each kind of thing', () => {
    const withLists = (lists: string) => real.replace('bareReferencesOf: rt', `radarLists: ${lists}`);
    const lists = { block: 'stop', stepUp: { card: 'step_up_cards' } };
    expect(loadFile(withLists(JSON.stringify(lists)), secrets).sources.payments[0]).toMatchObject({
      radarLists: { ...lists, added: 'counterfoil_added' },
    });
    for (const wrong of ['{ block: "@stop" }', '{ block: {} }', '{ review: { iban: x } }', '{ block: stop, allow: x }'])
      expect(placesOf(() => loadFile(withLists(wrong), secrets))[0]).toMatch(/^sources\.payments\[0\]\.radarLists/);
  });

  test('that is a folder is refused', () => {
    mkdirSync(file());
    expect(problemsOf(() => load())).toEqual(['(the whole): expected a readable file']);
  });

  test('lets two sources have one name in no combination', () => {
    const names = (helpdesk: string, payments: string) =>
      `sources: { helpdesk: [{ kind: demo, name: a }, { kind: demo, name: ${helpdesk} }], payments: [{ kind: demo, name: ${payments}, helpdesk: a }] }`;
    expect(placesOf(() => loadFile(names('a', 'b')))).toEqual(['sources.helpdesk[1].name']);
    expect(placesOf(() => loadFile(names('b', 'a')))).toEqual(['sources.payments[0].name']);
    expect(placesOf(() => loadFile(names('b', 'c')))).toEqual([]);
  });
});

describe('who is limited to registered operations', () => {
  const text = (registeredOnly: string) => `${real}operations: { registeredOnly: ${registeredOnly} }\n`;

  test.each<[string, unknown]>([
    ['false', false],
    ['true', true],
    ['[sidebar, "mobile app"]', ['sidebar', 'mobile app']],
    ['{ except: [console] }', { except: ['console'] }],
  ])('is %s', (written, expected) => {
    expect(loadFile(text(written), secrets).operations).toEqual({ registeredOnly: expected });
  });

  test('is nobody where nothing is said', () => {
    expect(loadFile(real, secrets).operations).toEqual({ registeredOnly: false });
  });

  test.each([
    'sidebar',
    '1',
    'null',
    '[]',
    '[""]',
    '[" sidebar"]',
    '["sidebar "]',
    '["side\\nbar"]',
    '[1]',
    '{}',
    '{ except: [] }',
    '{ only: [a] }',
  ])('is not %s', (written) => {
    const problems = problemsOf(() => loadFile(text(written), secrets), []);
    expect(problems).toEqual([expect.stringMatching(/^operations\.registeredOnly.*expected/)]);
  });
});
