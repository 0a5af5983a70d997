import crypto from 'node:crypto';
import fc from 'fast-check';
import { verifyExport } from '../../test/support/both-verifiers';
import { SmallLog } from '../../test/support/small-log';
import { planAction, planSubject } from './access-plan';
import { finalizeEvent } from './event';
import { csvHeader, csvRow } from './export-format';
import { leafHash } from './merkle';
import { generateSignerKey, verifierKeyOf } from './note';
import { type Verdict, type VerifyOptions, verifyExport as verifyHere } from './verify';

/* What the owner of a log signs may be anything: a verifier says so, in the same words wherever it runs, and goes on. */

const signer = generateSignerKey('audit.example/log');
const keys = [verifierKeyOf(signer)];

const reading = (bytes: Buffer) => {
  let left = bytes;
  return (into: Buffer): number => {
    const count = left.copy(into);
    left = left.subarray(count);
    return count;
  };
};
const verify = (bytes: Buffer, options: Partial<VerifyOptions> = {}): Verdict =>
  verifyExport(reading(bytes), { keys, ...options });

const good = finalizeEvent(
  {
    action: 'disclosure',
    outcome: 'ALLOWED',
    actor: { id: 'act_1', kind: 'staff', roles: ['AGENT'] },
    detail: { text: 'CANARY' },
  },
  'atx_1',
  0,
  new Date(Date.UTC(2026, 8, 1, 9)),
).leaf;
const members = JSON.parse(good.toString('utf8')) as Record<string, unknown>;
/** The leaf with these members written in place of its own, in whatever spelling. */
const leafWith = (written: Readonly<Record<string, string>>): Buffer => {
  const texts = Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)] as const);
  const all = Object.entries({ ...Object.fromEntries(texts), ...written }).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(`{${all.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`, 'utf8');
};
const exported = (leaf: Buffer): Buffer => new SmallLog(1, signer, [leaf]).export();
const brackets = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const row = csvRow(0, leafHash(good), members as never);

const kinds = ({ problem, flags }: Verdict) => [...flags, ...(problem ? [problem] : [])].map(({ kind }) => kind);

describe('bytes that aren’t UTF-8', () => {
  // Decoders put one mark for these, or one for each byte.
  const cut = Buffer.concat(
    good
      .toString('latin1')
      .split('CANARY')
      .flatMap((part, at) => [...(at > 0 ? [Buffer.of(0xe2, 0x82)] : []), Buffer.from(part, 'latin1')]),
  );

  it.each([
    ['as it is read', {}],
    ['strictly', { strict: true }],
  ])('make a leaf of no event, %s', (_, options) => {
    const verdict = verify(exported(cut), options);
    expect(kinds(verdict)).toEqual(['LEAF']);
    expect(verdict.flags[0]).toMatchObject({ leaf: 0, what: 'expected UTF-8' });
  });

  it('are said of the leaf, and not of its row or of those that follow', () => {
    const next = leafWith({ tx: '"atx_2"', id: '"evt_01K42GHZ80ZZZZZZZZZZZZZZZZ"' });
    const rows = [csvHeader(), row, csvRow(1, leafHash(next), JSON.parse(next.toString('utf8')))];
    const verdict = verify(new SmallLog(2, signer, [cut, next]).export(), { csv: reading(Buffer.concat(rows)) });
    expect(verdict.problem).toBeNull();
    expect(verdict.flags.filter(({ kind }) => kind === 'LEAF').map(({ leaf }) => leaf)).toEqual([0]);
  });

  it('are no fault of characters that are written right', () => {
    expect(verify(exported(leafWith({ detail: '{"text":"Zoë 渋谷 𐐷"}' }))).ok).toBe(true);
  });
});

describe('a value that can’t be made a text', () => {
  const mute = '{"toString":1,"valueOf":1}';

  it('in the trailer is none that the format has', () => {
    const lines = exported(good)
      .toString('utf8')
      .replace('"anchors":[]', `"anchors":[{"anchor":"a","anchoredAt":${mute},"checkpoint":"c"}]`);
    expect(verify(Buffer.from(lines)).problem).toMatchObject({ kind: 'FORMAT' });
  });

  it.each([
    ['a customer', { customers: `[${mute}]` }, ['ROW']],
    ['a role', { actor: `{"id":"a","kind":"staff","roles":[${mute}]}` }, ['ROW']],
    ['customers without end', { customers: brackets(200_000) }, ['LEAF']],
    ['detail without end', { detail: `{"a":${brackets(200_000)}}` }, ['LEAF']],
  ])('is a finding as %s beside a CSV file', (_, written, expected) => {
    const csv = reading(Buffer.concat([csvHeader(), row]));
    expect(kinds(verify(exported(leafWith(written)), { csv }))).toEqual(expected);
  });

  it('in a plan is no plan', () => {
    const plan = { operation: 'o', policy: '\ud800', links: [], fields: [] };
    const leaf = leafWith({
      v: '2',
      action: `"${planAction}"`,
      subject: `{"type":"${planSubject}","id":"x"}`,
      detail: JSON.stringify(plan),
    });
    expect(kinds(verify(exported(leaf)))).toEqual(['PLAN']);
  });
});

describe('what is said many times', () => {
  it('is held against its key once: an anchored checkpoint, whoever else signed it', () => {
    const log = new SmallLog(1, signer, [good]);
    const stranger = generateSignerKey('stranger.example');
    const lines = log.export().toString('utf8').trimEnd().split('\n');
    const note = log.checkpoint();
    const { trailer } = JSON.parse(lines.at(-1) as string);
    const signature = (n: number): string =>
      `— ${stranger.name} ${Buffer.from(n.toString(16).padStart(16, '0'), 'hex').toString('base64')}\n`;
    const anchors = Array.from({ length: 3_000 }, (_, n) => ({
      anchor: 'a',
      anchoredAt: '2026-09-01T09:00:00.000Z',
      checkpoint: n % 2 === 0 ? note : `${note}${signature(n)}`,
    }));
    const verifying = jest.spyOn(crypto, 'verify');
    try {
      const bytes = `${lines.with(-1, JSON.stringify({ trailer: { ...trailer, anchors } })).join('\n')}\n`;
      const verdict = verify(Buffer.from(bytes));
      expect(verdict).toMatchObject({ ok: true, problem: null });
      expect(verdict.anchors).toHaveLength(3_000);
      // Of the export's checkpoint, and of the one that was anchored.
      expect(verifying).toHaveBeenCalledTimes(2);
    } finally {
      verifying.mockRestore();
    }
  });
});

describe('a first line', () => {
  it('that is longer than any header is not read to its end', () => {
    let asked = 0;
    const endless = (into: Buffer): number => {
      asked += into.length;
      if (asked > 8_000_000) throw new Error('read on and on');
      into.fill('a');
      return into.length;
    };
    const verdict = verifyHere(endless, { keys });
    expect(verdict.problem).toMatchObject({
      kind: 'FORMAT',
      line: 1,
      what: 'the line is too long to be the header of an export',
    });
    const long = exported(good)
      .toString('utf8')
      .replace('"filter":null', `"filter":"${'x'.repeat(1_048_576)}"`);
    expect(verify(Buffer.from(long)).problem).toMatchObject({ kind: 'FORMAT', line: 1 });
  });
});

describe('whatever JSON stands in a member', () => {
  const odd = fc.constantFrom(
    '{"toString":1,"valueOf":1}',
    '[{"toString":1,"valueOf":1}]',
    '{"length":{"valueOf":1}}',
    '{"toJSON":1,"__proto__":null}',
    '"\\ud800"',
    '"\\udc00x"',
    '"\\u202e"',
    brackets(70),
    brackets(100_000),
    '1e999',
    '-0',
    '9007199254740993',
    '"2026-09-01T09:00:00"',
    '[[0]]',
    `"${'0'.repeat(64)}"`,
  );
  const value = fc.oneof(odd, fc.json());
  const edits = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, maxKeys: 4 });

  const planned = {
    operation: '"o"',
    policy: '"p"',
    links: '["NONE"]',
    fields: '[["Customer.email","omit"]]',
    counts: '{"NONE":[1]}',
    linked: '{"NONE":[0]}',
    others: '[]',
    plan: `"${'0'.repeat(64)}"`,
  };
  const objectOf = (texts: Readonly<Record<string, string>>): string =>
    `{${Object.entries(texts)
      .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
      .join(',')}}`;

  it('of a leaf, there is a verdict, and it is the same everywhere', () => {
    fc.assert(
      fc.property(
        edits(Object.keys(members)),
        edits(Object.keys(planned)),
        fc.constantFrom('detail', 'disclosure', planAction),
        fc.boolean(),
        fc.boolean(),
        (written, detail, way, strict, isTable) => {
          const ofVersion2 = {
            v: '2',
            action: JSON.stringify(way),
            subject: `{"type":"${planSubject}","id":"x"}`,
            detail: objectOf({ ...planned, ...detail }),
          };
          const leaf = leafWith({ ...(way === 'detail' ? {} : ofVersion2), ...written });
          const csv = isTable ? reading(Buffer.concat([csvHeader(), row])) : undefined;
          expect(verify(exported(leaf), { strict, csv }).leaves).toBe(1);
        },
      ),
      { numRuns: 600 },
    );
  });

  it.each([
    ['header', 0],
    ['trailer', 2],
  ])('of the %s, there is a verdict, and it is the same everywhere', (name, at) => {
    const lines = exported(good).toString('utf8').trimEnd().split('\n');
    const own = (JSON.parse(lines[at] as string) as Record<string, Record<string, unknown>>)[name] as Record<string, unknown>;
    const texts = Object.fromEntries(Object.entries(own).map(([member, each]) => [member, JSON.stringify(each)]));
    const inLists = fc.tuple(
      edits(['size', 'path', 'anchor', 'anchoredAt', 'checkpoint', 'index', 'leaf']),
      fc.constantFrom('consistency', 'anchors', 'plans'),
    );
    const listed = {
      consistency: { size: '1', path: '[]' },
      anchors: { anchor: '"a"', anchoredAt: '"2026-09-01T09:00:00.000Z"', checkpoint: texts.checkpoint ?? '""' },
      plans: { index: '0', leaf: JSON.stringify(good.toString('utf8')), path: '[]' },
    } as const;
    const written = fc.oneof(
      edits(Object.keys(own)),
      ...(name === 'trailer'
        ? [
            inLists.map(([item, list]) => ({
              [list]: `[${objectOf({ ...listed[list as keyof typeof listed], ...item })}]`,
            })),
          ]
        : []),
    );
    fc.assert(
      fc.property(written, fc.boolean(), (changed, strict) => {
        const line = `{"${name}":${objectOf({ ...texts, ...changed })}}`;
        const bytes = Buffer.from(`${lines.with(at, line).join('\n')}\n`, 'utf8');
        expect(verify(bytes, { strict })).toHaveProperty('ok');
      }),
      { numRuns: 400 },
    );
  });
});
