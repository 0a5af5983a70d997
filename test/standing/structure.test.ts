import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/readme';
import { circlesIn, type Files, importsIn, servedFiles, textOf, withoutComments } from '../support/source-files';

const sources = servedFiles();
const decisions = readdirSync(join(root, 'docs/adr')).map((name) => textOf(join('docs/adr', name)));

/** A copy of the tree with one file more, or with another text. */
const withFile = (file: string, text: string): Files => new Map([...sources, [file, text]]);
const linesIn = (text: string): number => text.split('\n').length - 1;

/** Files that import each other in a circle. Types count too: what needs another's type can't be understood without it. */
const fileCircles = (files: Files): string[][] =>
  circlesIn(
    new Map(
      [...files].map(([file, text]) => [
        file,
        new Set(importsIn(file, text).flatMap((path) => [`${path}.ts`, `${path}/index.ts`].filter((each) => files.has(each)))),
      ]),
    ),
  );

/**
 * From the ground up: a slice imports those before it. What stands right in `features` puts slices together (a request's services
 * and loaders, the graph, the stored classes), so it is in no slice.
 */
const slices = [
  'keys',
  'signals',
  'customers',
  'payments',
  'tickets',
  'actors',
  'sign-in',
  'operations',
  'assistance',
  'alerts',
  'sources',
  'deadlines',
  'holds',
  'invitations',
  'credentials',
  'recognitions',
  'disclosures',
  'audit',
  'brakes',
  'decisions',
  'claims',
  'outreach',
  'webhooks',
  'rules',
  'viewer',
  'exposure',
  'embeds',
] as const;

/** Which slice imports which that comes after it, and slices that have no place in the order. */
const upwardImports = (files: Files, order: readonly string[]): string[] => {
  const sliceOf = (path: string): string | undefined => /^src\/features\/([\w-]+)\//.exec(path)?.[1];
  const found = new Set<string>();
  for (const [file, text] of files) {
    const slice = sliceOf(file);
    if (slice === undefined) continue;
    if (!order.includes(slice)) found.add(`${slice} has no place`);
    for (const path of importsIn(file, text)) {
      const other = sliceOf(path);
      if (other !== undefined && order.indexOf(other) > order.indexOf(slice)) found.add(`${slice} imports ${other}`);
    }
  }
  return [...found].sort();
};

/** Circles that are known; the list may only become shorter. */
const knownCircles = [
  // Whom a payment is of, and when their payment side was last confirmed.
  'customers imports payments',
  // Linking asks the payment sources who a customer is.
  'customers imports sources',
];

/** Where something is said to be a number or else a text, outside of the database's own folder. */
const numbersOrTexts = (files: Files): string[] =>
  [...files].flatMap(([file, text]) =>
    file.startsWith('src/db/')
      ? []
      : withoutComments(text)
          .split('\n')
          .filter((line) => /\b(?:number|bigint)\s*\|\s*string\b|\bstring\s*\|\s*(?:number|bigint)\b/.test(line))
          .map((line) => `${file}: ${line.trim()}`),
  );

/** What isn't stored, and may be either. */
const eitherOr: readonly (readonly [beginning: string, why: string])[] = [
  ['src/authz/policy/mask.ts: export type Maskable', 'a value of the graph before it is masked'],
  ['src/cli/policy.ts: const column', 'a cell of a report'],
  ['src/features/audit/minimisation.ts: const row', 'a cell of a report'],
  ['src/graphql/errors.ts: export const toGraphQLError', 'a path in a response, as GraphQL has it'],
  ['src/graphql/errors.ts: export const internalError', 'a path in a response, as GraphQL has it'],
  ['src/http/html.ts: type Part', 'what a page is made of'],
  ['src/upstream/delivery/sms/http.sms.ts: export type SmsBodyValue', 'JSON that is sent'],
  ['src/upstream/helpdesk/rt/rt.rest2.ts: readonly value', 'JSON that is sent'],
  ['src/upstream/helpdesk/rt/rt.rest2.ts: export const oneOf', 'JSON that is sent'],
  ['src/upstream/helpdesk/rt/rt.rest2.ts: type Parameters', 'parts of an address'],
];

/** Rows whose type somebody wrote down, or that are filled in by hand: their columns would be spelled a second time. */
const handWrittenRows = (files: Files): string[] =>
  [...files].flatMap(([file, text]) => {
    if (file.startsWith('src/db/')) return [];
    const code = withoutComments(text);
    const found = [
      ...code.matchAll(/\binterface \w+Row\b/g),
      ...code.matchAll(/\binterface \w+ extends [^{]*\b(?:Row|KeyedRow|Record<string, unknown>)(?![\w'])/g),
      ...code.matchAll(/\btype \w+Row\b(?:<[^=]*>)? =(?!\s*(?:Selected|RowOf|Values)<)/g),
      // A row of SQL in a string: what it answers is what somebody says that it answers.
      ...code.matchAll(/\.query<[^(]*/g),
      ...code.matchAll(/\bObject\.assign\(new [A-Z]\w+\(\), \{/g),
    ];
    return found.map(([each]) => `${file}: ${each}`);
  });

/** Constructors that take more than four things by their place. */
const longConstructors = (files: Files): string[] =>
  [...files].flatMap(([file, text]) =>
    [...withoutComments(text).matchAll(/\bconstructor\(/g)].flatMap(({ index, input }) => {
      let depth = 0;
      let count = 0;
      let isEmpty = true;
      for (let at = index + 'constructor'.length; at < input.length; at += 1) {
        const sign = input[at] as string;
        if (depth === 1 && /\S/.test(sign) && sign !== ')') {
          if (isEmpty) count += 1;
          isEmpty = sign === ',';
        }
        // An arrow's `>` closes nothing.
        if ('([{<'.includes(sign)) depth += 1;
        else if (')]}'.includes(sign) || (sign === '>' && input[at - 1] !== '=')) depth -= 1;
        if (depth === 0) break;
      }
      return count > 4 ? [`${file}: ${count}`] : [];
    }),
  );

const longest = 500;
/** Files of more than 500 lines that no decision names. */
const longFiles = (files: Files, texts: readonly string[]): string[] =>
  [...files]
    .filter(([file, text]) => linesIn(text) > longest && !texts.some((each) => each.includes(`\`${file}\``)))
    .map(([file, text]) => `${file}: ${linesIn(text)}`);

/** Ways around a look-up within somebody's scope, or around a permission: an id that was found is one that a row names. */
const shortcuts = (files: Files): string[] =>
  [...files].flatMap(([file, text]) =>
    [
      ...withoutComments(text).matchAll(
        /\bas (?:unknown as )?(?:InScope|Reached)\b|\breachedBy\(\s*\{|\bpermit\(null\)|\bChange<\w/g,
      ),
    ]
      .filter(() => !file.startsWith('src/db/'))
      .map(([each]) => `${file}: ${each}`),
  );

describe('files', () => {
  it('import each other in no circle, types included', () => {
    expect(fileCircles(sources)).toEqual([]);
  });

  it('that do are found, whatever they import', () => {
    const found = fileCircles(withFile('src/ulid.ts', "import type { App } from './app';"));
    expect(found.flat()).toContain('src/ulid.ts');
    const pair = new Map([
      ['src/a.ts', "export type { B } from './b';"],
      ['src/b.ts', "const a = require('./a') as typeof import('./a');"],
      ['src/c.ts', "import './a';"],
    ]);
    expect(fileCircles(pair)).toEqual([['src/a.ts', 'src/b.ts']]);
  });

  it('have 500 lines at most, or a decision that says why not', () => {
    expect(longFiles(sources, decisions)).toEqual([]);
    expect(longFiles(sources, []).map((each) => each.replace(/: \d+$/, ''))).toEqual([
      'src/audit/verify.ts',
      'src/upstream/helpdesk/rt/rt.connector.ts',
    ]);
  });

  it('with more are found', () => {
    expect(longFiles(withFile('src/new.ts', 'one\n'.repeat(501)), decisions)).toEqual(['src/new.ts: 501']);
    expect(longFiles(withFile('src/new.ts', 'one\n'.repeat(500)), decisions)).toEqual([]);
  });

  it('put the application together in 320 lines at most', () => {
    expect(linesIn(sources.get('src/app.ts') as string)).toBeLessThanOrEqual(320);
  });
});

describe('slices', () => {
  it('import those before them, but for circles that are known', () => {
    expect(upwardImports(sources, slices)).toEqual(knownCircles);
  });

  it('that import others are found, wherever they do, and what puts slices together is in none', () => {
    const tree = new Map([
      ['src/features/boats/deck/boat.type.ts', "import type { Harbour } from '../../harbours/near/harbour.type';"],
      ['src/features/harbours/near/harbour.type.ts', "import { boats } from '../../boats/boat.type';"],
      ['src/features/crews/crews.resolver.ts', "import type { RequestContext } from '../request';"],
      ['src/features/request.ts', "import type { Boat } from './boats/boat.type';"],
    ]);
    expect(upwardImports(tree, ['boats', 'harbours'])).toEqual(['boats imports harbours', 'crews has no place']);
    expect(upwardImports(tree, ['harbours', 'boats', 'crews'])).toEqual(['harbours imports boats']);
  });
});

describe('a stored value', () => {
  it('has one type: nothing outside of db/ is a number or else a text, but for what isn’t stored', () => {
    const found = numbersOrTexts(sources);
    expect(found.filter((line) => !eitherOr.some(([beginning]) => line.startsWith(beginning)))).toEqual([]);
    expect(eitherOr.filter(([beginning]) => !found.some((line) => line.startsWith(beginning)))).toEqual([]);
  });

  it.each(['at: number | string;', 'readonly n: string|number;', 'n: bigint | string | null;'])(
    'that has two is found: %s',
    (line) => {
      expect(numbersOrTexts(new Map([['src/features/boats/boat.type.ts', line]]))).toHaveLength(1);
    },
  );
});

describe('a row', () => {
  it('has the type that its columns give, and isn’t filled in by hand', () => {
    expect(handWrittenRows(sources)).toEqual([]);
  });

  it.each([
    ['an interface', 'interface BoatRow {\n  readonly id: string;\n}'],
    ['an interface by another name', 'interface Boat extends KeyedRow, Record<string, unknown> {'],
    ['a type', 'type BoatRow = { id: string };'],
    ['a type of several lines', 'export type BoatRow =\n  | { id: string };'],
    ['a row of SQL in a string', "database.query<{ id: string }>('SELECT id FROM boat');"],
    ['a row of SQL in a string, of a type', "change.query<Boat>('SELECT id FROM boat');"],
    ['an entity filled in by hand', 'Object.assign(new Boat(), { id });'],
  ])('that hasn’t is found: %s', (_, text) => {
    expect(handWrittenRows(new Map([['src/features/boats/boats.service.ts', text]]))).toHaveLength(1);
  });

  it.each(['type BoatRow = Selected<typeof boatRows>;', "readonly kind: BoatRow['kind'];", '// interface BoatRow'])(
    'that has isn’t: %s',
    (text) => {
      expect(handWrittenRows(new Map([['src/features/boats/boats.service.ts', text]]))).toEqual([]);
    },
  );
});

describe('a constructor', () => {
  it('takes four things by their place at most, or one with names', () => {
    expect(longConstructors(sources)).toEqual([]);
  });

  it('with more is found', () => {
    const five =
      'class A { constructor(a: Map<string, B>, b: () => void, private readonly c: { d: 1, e: 2 }, f = [1, 2], g?: 3,) {} }';
    const four =
      'class A { constructor(\n  a: Map<string, B>,\n  b: (c: D, e: F) => void,\n  c: { d: 1; e: 2 },\n  f = [1, 2],\n) {} }';
    const files = new Map([
      ['src/five.ts', five],
      ['src/four.ts', four],
    ]);
    expect(longConstructors(files)).toEqual(['src/five.ts: 5']);
  });
});

describe('a class of a module that is loaded late', () => {
  // The compiler leaves out the parentheses that make the difference: what it writes calls the class.
  const madeAtOnce = (files: Files): string[] =>
    [...files].flatMap(([file, text]) => (/\bnew \(\s*require\(/.test(withoutComments(text)) ? [file] : []));

  it('has a name before one of it is made', () => {
    expect(madeAtOnce(sources)).toEqual([]);
  });

  it('that has none is found', () => {
    const text = "const a = new (require('./a') as typeof import('./a')).A(1);";
    expect(madeAtOnce(new Map([['src/b.ts', text]]))).toEqual(['src/b.ts']);
  });
});

describe('a permission', () => {
  it('is asked for about something, and a scope is looked up', () => {
    expect(shortcuts(sources)).toEqual([]);
  });

  it.each([
    'permit(null);',
    'const ticket = { id } as InScope<Ticket>;',
    'const t = id as unknown as InScope<Ticket>;',
    'loader.load(id as Reached);',
    "loader.load(reachedBy({ id }, 'id'));",
  ])('that is got around is found: %s', (text) => {
    expect(shortcuts(new Map([['src/features/boats/boats.service.ts', text]]))).toHaveLength(1);
  });
});
