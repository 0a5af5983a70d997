import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuiltGateway } from '../support/built';
import { root } from '../support/readme';

let built: BuiltGateway;
beforeAll(() => {
  built = BuiltGateway.make();
}, 120_000);
afterAll(() => built.remove());

const rulesText = readFileSync(join(root, 'schema', 'rules.yaml'), 'utf8');
const file = (name: string, text: string): string => {
  const path = join(built.folder, name);
  writeFileSync(path, text);
  return path;
};
const attempt = (id: number, card: string, more: Record<string, unknown> = {}) => ({
  source: 'shop',
  id: String(id),
  type: 'payment.attempt.declined',
  occurredAt: `2026-09-15T12:0${id}:00+00:00`,
  subjects: { customer: 'c-17', card, device: 'd-3' },
  facts: { country: 'DE', outcome: 'fraud' },
  ...more,
});
const attempts = ['a', 'b', 'c', 'd', 'e'].map((card, index) => attempt(index, card));
const lines = (signals: readonly unknown[]) =>
  signals.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');

describe('counterfoil rules test', () => {
  it('prints a verdict a line', async () => {
    const { code, stdout, stderr } = await built.run([
      'rules',
      'test',
      '--json',
      '--stream',
      file('stream.ndjson', lines(attempts)),
    ]);
    expect({
      code,
      stderr,
      verdicts: stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    }).toEqual({
      code: 0,
      stderr: '',
      verdicts: [
        {
          rule: 'card-testing',
          at: '2026-09-15T12:03:00.000Z',
          subjects: { customer: 'c-17', card: 'd', device: 'd-3' },
          signals: ['shop/0', 'shop/1', 'shop/2', 'shop/3'],
          effect: 'alert, challenge',
          subject: 'customer',
          mode: 'SHADOW',
          version: 1,
          counts: { cards: 4, attempts: 4, declines: 4 },
          late: false,
          sentence: expect.stringContaining('4 cards'),
        },
      ],
    });
  });

  it('names each line that is no signal, and evaluates the others', async () => {
    const [a, b, c, d] = attempts.map((each) => JSON.stringify(each));
    const stream = file(
      'bad.ndjson',
      lines([
        a,
        '{"source":"shop"',
        b,
        attempt(7, 'x', { occurredAt: '2026-09-15 12:00' }),
        '',
        c,
        '[]',
        'x'.repeat(70_000),
        d,
        attempt(8, 'x', { type: 'x.4242424242424242', facts: { declineCode: '5555555555554444' } }),
      ]),
    );
    const { code, stdout, stderr } = await built.run(['rules', 'test', '--json', '--stream', stream]);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([expect.stringContaining('"rule":"card-testing"'), '']);
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^Line 2: expected JSON such as \{"source".*\}\.$/),
      'Line 4: occurredAt: expected an instant with its offset such as 2026-09-01T09:30:00Z (RFC 3339).',
      expect.stringMatching(/^Line 7: expected an object such as \{"source".*\}\.$/),
      'Line 8: expected at most 65536 characters.',
      expect.stringMatching(/^Line 10: type: expected no card number; .*facts\.declineCode: expected no card number; /),
      expect.stringMatching(/^5 lines are no signal; the others were evaluated\. .*rules schema signals/),
      '',
    ]);
  });

  it('passes over a line that is far ahead of all others, wherever it stands: nothing is late by it', async () => {
    const far = (id: number) => JSON.stringify(attempt(id, `far-${id}`, { occurredAt: '2099-01-01T00:00:00Z' }));
    const [a, b, c, d] = attempts.map((each) => JSON.stringify(each));
    const stream = file('far.ndjson', lines([far(90), a, b, far(91), far(92), c, d]));
    const { code, stdout, stderr } = await built.run(['rules', 'test', '--json', '--stream', stream]);
    expect(code).toBe(1);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([expect.objectContaining({ rule: 'card-testing', late: false, effect: 'alert, challenge' })]);
    const told = (line: number) =>
      expect.stringMatching(
        new RegExp(`^Line ${line}: occurredAt: expected .* at most 2 days ahead of the other lines \\(TIME_LIMIT\\)`),
      );
    expect(stderr.split('\n').slice(0, 3)).toEqual([told(1), told(4), told(5)]);
  });

  it('takes a stream that is made up of another time', async () => {
    const later = attempts.map((each) => ({ ...each, occurredAt: each.occurredAt.replace('2026', '2126') }));
    const stream = file('later.ndjson', lines([...attempts.slice(0, 2), ...later].map((each) => JSON.stringify(each))));
    const { code, stdout } = await built.run(['rules', 'test', '--json', '--stream', stream]);
    expect([code, stdout]).toEqual([0, '']);
    const { stdout: alone } = await built.run(['rules', 'test', '--json', '--stream', file('alone.ndjson', lines(later))]);
    expect(JSON.parse(alone)).toMatchObject({ rule: 'card-testing', at: '2126-09-15T12:03:00.000Z', late: false });
  });

  it('sums up beside what is in force, by what became of the payments', async () => {
    const stream = file('stream.ndjson', lines(attempts));
    const stricter = file('stricter.yaml', rulesText.replace('{ cards: 4,', '{ cards: 6,'));
    const plain = await built.run(['rules', 'test', '--stream', stream]);
    expect(plain.stdout).toMatch(/^rule +mode +fires +fraud +refunded +declined +fine +no payment$/m);
    expect(plain.stdout).toMatch(/^card-testing +SHADOW +1 +1 +0 +0 +0 +0$/m);
    const compared = await built.run(['rules', 'test', '--stream', stream, '--rules', stricter]);
    expect(compared.stdout).toMatch(/^card-testing +SHADOW +0 +1 +0 +0 +0 +0 +0$/m);
  });

  it('prints the verdicts between two times', async () => {
    const stream = file('stream.ndjson', lines(attempts));
    const between = async (...range: string[]) =>
      (await built.run(['rules', 'test', '--json', '--stream', stream, ...range])).stdout;
    expect(await between('--from', '2026-09-15T12:03:00Z', '--to', '2026-09-15T12:04:00Z')).not.toBe('');
    expect(await between('--from', '2026-09-15T12:03:01Z')).toBe('');
    expect(await between('--to', '2026-09-15T12:03:00Z')).toBe('');
  });

  it.each([
    ['--stream', 'absent.ndjson', "absent.ndjson can't be read (ENOENT)."],
    ['--from', 'yesterday', 'Expected a day'],
    ['--rules', 'absent.yaml', 'expected a readable file of risk rules'],
  ])('refuses %s %s', async (option, value, message) => {
    const stream = option === '--stream' ? [] : ['--stream', file('stream.ndjson', lines(attempts))];
    const { code, stderr } = await built.run(['rules', 'test', '--json', ...stream, option, value]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  it('names path and line of a mistake in the file', async () => {
    const rules = file('broken.yaml', rulesText.replace('{ cards: 4,', '{ cards: many,'));
    const line = rulesText.split('\n').findIndex((each) => each.includes('{ cards: 4,')) + 1;
    const { code, stderr } = await built.run(['rules', 'explain', '--rules', rules]);
    expect([code, stderr]).toEqual([
      1,
      `The configuration has a problem:\n  ${rules}:${line}  rules.card-testing.thresholds.cards: expected a whole number, 2 to 100\n`,
    ]);
  });

  it('keeps up with what a busy merchant has in a day, in little memory', async () => {
    const many = Array.from({ length: 60_000 }, (_, index) =>
      JSON.stringify({
        source: 'shop',
        id: String(index),
        type: index % 9 === 0 ? 'payment.attempt.declined' : 'payment.attempt.succeeded',
        occurredAt: new Date(Date.UTC(2026, 8, 1) + index * 60_000).toISOString(),
        subjects: {
          customer: `c-${(index * 7919) % 10_000}`,
          card: `k-${(index * 7919) % 10_000}`,
          device: `d-${(index * 7919) % 10_000}`,
        },
        facts: { country: 'DE', amount: { minorUnits: 1_000 + (index % 500), currency: 'EUR' } },
      }),
    );
    const stream = file('many.ndjson', many.join('\n'));
    const { code, stdout } = await built.run(['rules', 'test', '--stream', stream], { NODE_OPTIONS: '--max-old-space-size=120' });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^60,000 signals\./)]);
  }, 60_000);
});

describe('counterfoil rules explain', () => {
  it('says when a rule fires and what follows', async () => {
    const { code, stdout } = await built.run(['rules', 'explain', 'card-testing']);
    expect([code, stdout]).toEqual([
      0,
      "card-testing (version 1)\n  Fires when 4 cards or more are tried by one customer or on one device within 1 hour; cards that paid on an earlier day, within 180 days, don't count.\n  Effect: alert, challenge. It is in SHADOW: nothing follows.\n",
    ]);
    const all = JSON.parse((await built.run(['rules', 'explain', '--json'])).stdout) as { rule: string }[];
    expect(all).toHaveLength(14);
  });

  it('names the rules where there is no such', async () => {
    const { code, stderr } = await built.run(['rules', 'explain', 'CARD_TESTING']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('retries-elsewhere, card-testing')]);
  });
});

describe('counterfoil rules schema', () => {
  it.each(['signal', 'rules'])('prints what is kept as schema/%s.schema.json', async (name) => {
    const { stdout } = await built.run(['rules', 'schema', name === 'signal' ? 'signals' : 'rules']);
    expect(stdout).toBe(readFileSync(join(root, 'schema', `${name}.schema.json`), 'utf8'));
  });
});

describe('a gateway', () => {
  it('doesn’t start with a rules file that is wrong, and names path and line', async () => {
    const broken = file('start-broken.yaml', rulesText.replace('mode: SHADOW', 'mode: MAYBE'));
    const { code, stdout, stderr } = await built.start({ RULES_FILE: broken, DATA_DIR: 'unused' }).finished;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/start-broken\.yaml:\d+ {2}rules\.retries-elsewhere\.mode: expected one of OFF, SHADOW, ON/);
  });

  it('doesn’t start without one', async () => {
    const { code, stderr } = await built.start({ RULES_FILE: 'absent.yaml', DATA_DIR: 'unused' }).finished;
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('absent.yaml  (the whole): expected a readable file of risk rules'),
    ]);
  });
});
