import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { type IssuerConfiguration, issuersConfiguration } from './authz/identity/token-verifier';
import { type DatabaseLocation, parseDatabaseUrl } from './db/data-source';
import { ticketStatuses } from './upstream/helpdesk/helpdesk.port';

/** One thing that is wrong with the configuration: where, and what was expected there. Never the value. */
export interface ConfigProblem {
  /** A file, or `environment`. */
  readonly in: string;
  /** A path within the file, or the variable's name. */
  readonly at: string;
  readonly line?: number;
  readonly expected: string;
}

/** Everything that is wrong, at once. */
export class ConfigInvalid extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      problems
        .map(({ in: where, at, line, expected }) => `${where}${line === undefined ? '' : `:${line}`}  ${at}: ${expected}`)
        .join('\n'),
    );
    this.name = 'ConfigInvalid';
  }
}

/** A secret is never written into the file: `${NAME}` refers to an environment variable. */
const reference = /^\$\{([A-Z][A-Z0-9_]*)\}$/;

/**
 * A variable's value or, where `NAME_FILE` is given instead, the content of that file without its last line break: what
 * stands in the environment is seen by everybody who may inspect the process or its container. Undefined where the file can't be read.
 */
const secretValue = (environment: NodeJS.ProcessEnv, name: string): string | undefined => {
  const file = environment[`${name}_FILE`];
  if (environment[name] || !file) return environment[name];
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
};

const secret = (environment: NodeJS.ProcessEnv) =>
  z.string({ error: 'expected an environment reference such as ${RT_TOKEN}' }).transform((text, context) => {
    const [, name] = reference.exec(text) ?? [];
    if (name === undefined) {
      context.addIssue({
        code: 'custom',
        message: 'expected an environment reference such as ${RT_TOKEN}: secrets do not belong in this file',
      });
      return z.NEVER;
    }
    const value = secretValue(environment, name);
    if (!value) {
      context.addIssue({ code: 'custom', message: `the environment has no ${name}, nor ${name}_FILE with a readable file` });
      return z.NEVER;
    }
    return value;
  });

const sourceName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name: lower-case letters, digits and hyphens');
const httpUrl = (production: boolean) =>
  z.url({ protocol: /^https?$/, error: 'expected an address such as https://rt.example.com' }).refine((url) => {
    // An address that isn't one was reported already.
    if (!production || url.startsWith('https:') || !URL.canParse(url)) return true;
    return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
  }, 'expected https: a token must not travel in clear');

const resilience = z
  .strictObject({
    attemptTimeout: z.int().min(100).max(60_000),
    retries: z.int().min(0).max(5),
    breakAfter: z.int().min(1).max(100),
    breakFor: z.int().min(100).max(600_000),
    concurrency: z.int().min(1).max(64),
  })
  .partial();

const fileSchema = (environment: NodeJS.ProcessEnv, production: boolean) => {
  const rt = z.strictObject({
    kind: z.literal('rt'),
    name: sourceName,
    url: httpUrl(production),
    token: secret(environment),
    webhookSecret: secret(environment).optional(),
    queues: z.array(z.string().min(1)).min(1).optional(),
    teams: z.record(z.string(), z.string()).default({}),
    customerField: z.strictObject({ name: z.string().min(1), writers: z.array(z.string().min(1)).min(1) }).optional(),
    statuses: z.record(z.string(), z.enum(ticketStatuses)).optional(),
    resilience: resilience.optional(),
  });
  const demoHelpdesk = z.strictObject({ kind: z.literal('demo'), name: sourceName });
  const stripe = z.strictObject({
    kind: z.literal('stripe'),
    name: sourceName,
    apiKey: secret(environment),
    webhookSecret: secret(environment).optional(),
    /** For tests against a server of one's own. */
    url: httpUrl(production).optional(),
    metadataKey: z.string().min(1).optional(),
    bareReferencesOf: sourceName.optional(),
    orderKey: z.string().min(1).optional(),
    orderDescriptionKey: z.string().min(1).optional(),
    deviceKey: z.string().min(1).optional(),
    resilience: resilience.optional(),
  });
  const demoPayments = z.strictObject({ kind: z.literal('demo'), name: sourceName, helpdesk: sourceName });
  return z
    .strictObject({
      sources: z.strictObject({
        helpdesk: z.array(z.discriminatedUnion('kind', [rt, demoHelpdesk])).min(1, 'expected at least one helpdesk source'),
        payments: z.array(z.discriminatedUnion('kind', [stripe, demoPayments])).min(1, 'expected at least one payments source'),
      }),
      identity: z.strictObject({ issuers: issuersConfiguration({ development: !production }) }).default({ issuers: [] }),
      sync: z
        .strictObject({
          windowDays: z.int().min(1).max(3650).default(90),
          pollSeconds: z.number().min(0.1).max(3600).default(10),
          assignmentBoundSeconds: z.number().min(1).max(300).default(30),
          paymentsBoundSeconds: z.number().min(1).max(86_400).default(300),
          readThroughSeconds: z.number().min(0.1).max(30).default(2.5),
        })
        .prefault({}),
    })
    .superRefine(({ sources }, context) => {
      const names = [...sources.helpdesk, ...sources.payments].map(({ name }) => name);
      const helpdesks = sources.helpdesk.map(({ name }) => name);
      names.forEach((name, index) => {
        if (names.indexOf(name) === index) return;
        const isHelpdesk = index < sources.helpdesk.length;
        context.addIssue({
          code: 'custom',
          path: ['sources', isHelpdesk ? 'helpdesk' : 'payments', isHelpdesk ? index : index - sources.helpdesk.length, 'name'],
          message: 'expected a name that no other source has',
        });
      });
      sources.payments.forEach((source, index) => {
        if (source.kind === 'demo' && !helpdesks.includes(source.helpdesk)) {
          context.addIssue({
            code: 'custom',
            path: ['sources', 'payments', index, 'helpdesk'],
            message: `expected one of ${helpdesks.join(', ')}`,
          });
        }
      });
    });
};

export type FileConfig = z.output<ReturnType<typeof fileSchema>>;
export type HelpdeskConfig = FileConfig['sources']['helpdesk'][number];
export type PaymentsConfig = FileConfig['sources']['payments'][number];

const whole = (smallest: number, largest: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${smallest} to ${largest}`)
    .transform(Number)
    .pipe(z.int().min(smallest, `expected at least ${smallest}`).max(largest, `expected at most ${largest}`))
    .optional()
    .transform((value) => value ?? otherwise);

const flag = (otherwise: boolean) =>
  z
    .enum(['true', 'false', '1', '0'], { error: 'expected true or false' })
    .optional()
    .transform((value) => (value === undefined ? otherwise : value === 'true' || value === '1'));

/** Every variable that is read, with what it means: the operator's manual. */
const environmentSchema = z.object({
  /** `production` refuses whatever is only fit for trying out. Anything else is development. */
  NODE_ENV: z.string().optional(),
  /** TCP port; 0 takes a free one. */
  PORT: whole(0, 65_535, 4000),
  /** Address to listen on: this machine only, unless told otherwise. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** `sqlite:PATH`, or `mysql://USER:PASSWORD@HOST:PORT/NAME` for MariaDB and MySQL. */
  DATABASE_URL: z.string().optional(),
  /** File that holds it, so that the password needn't stand in the environment. */
  DATABASE_URL_FILE: z.string().optional(),
  /** Connections to MariaDB or MySQL. */
  DATABASE_POOL: whole(1, 200, 10),
  /** Folder of the embedded database and of keys made for development. */
  DATA_DIR: z.string().min(1).default('.data'),
  /** Sources, identity and bounds; without it, in development, the demo merchant. */
  CONFIG_FILE: z.string().min(1).default('counterfoil.yaml'),
  /** Who sees what. */
  POLICY_FILE: z.string().min(1).default('schema/exposure.yaml'),
  /** 32 bytes in base64 that wrap every other key; or `id:base64[,id:base64…]` to rotate. */
  KEY_ENCRYPTION_KEY: z.string().min(1).optional(),
  /** File that holds it, readable by its owner only. */
  KEY_ENCRYPTION_KEY_FILE: z.string().min(1).optional(),
  /** Staff without a second factor see no policed field. Production refuses `false`. */
  MFA_REQUIRED: flag(true),
  /** The development issuer and its demo people. Production refuses `true`. */
  DEVELOPMENT_ISSUER: flag(false).optional(),
  /** Origins, separated by commas, whose pages may send requests; none unless named. */
  CORS_ORIGINS: z
    .string()
    .optional()
    .transform((text) => (text ?? '').split(',').flatMap((origin) => (origin.trim() === '' ? [] : [origin.trim()])))
    .pipe(
      z.array(
        z
          .string()
          .regex(/^https?:\/\/[^/*]+$/, 'expected origins such as https://desk.example.com, separated by commas; no wildcard'),
      ),
    ),
  /** Addresses of proxies in front of the gateway, separated by commas, whose X-Forwarded-For is believed. */
  TRUSTED_PROXIES: z
    .string()
    .optional()
    .transform((text) => (text ?? '').split(',').flatMap((address) => (address.trim() === '' ? [] : [address.trim()]))),
  /** Requests a minute of one token, or of one address without one. */
  RATE_LIMIT: whole(1, 1_000_000, 1_200),
  /** `info` in production; `warn` in development, where a person reads along. */
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], { error: 'expected fatal, error, warn, info, debug or silent' })
    .optional(),
  /** Whatever its value: failures of the command line come with their stack. */
  DEBUG: z.string().optional(),
  /** The demo merchant's size: 1 is 5,000 customers. */
  DEMO_SIZE: z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'expected a number such as 1 or 0.1')
    .transform(Number)
    .pipe(z.number().min(0.02, 'expected at least 0.02').max(100, 'expected at most 100'))
    .optional()
    .transform((value) => value ?? 1),
  DEMO_SEED: whole(0, 2_147_483_647, 1),
});

export interface Config extends Pick<FileConfig, 'sources' | 'sync'> {
  readonly production: boolean;
  readonly issuers: readonly IssuerConfiguration[];
  readonly host: string;
  readonly port: number;
  readonly database: DatabaseLocation;
  readonly databasePool: number;
  readonly dataFolder: string;
  readonly policyFile: string;
  readonly keyEncryption: { readonly value: string } | { readonly file: string; readonly create: boolean };
  readonly mfaRequired: boolean;
  readonly developmentIssuer: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly rateLimit: number;
  readonly logLevel: string;
  readonly demo: { readonly size: number; readonly seed: number } | null;
}

const demoFile = {
  sources: { helpdesk: [{ kind: 'demo', name: 'demo' }], payments: [{ kind: 'demo', name: 'demo-pay', helpdesk: 'demo' }] },
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`)).join('') ||
  '(the whole)';

/** zod's own words for what can't be said per field; none of them repeats the input. */
const expectedOf = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys')
    return `unknown ${issue.keys.length > 1 ? 'names' : 'name'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
  if (issue.code === 'invalid_union' && 'note' in issue && issue.note === 'No matching discriminator')
    return 'expected a known kind: rt or demo for a helpdesk, stripe or demo for payments';
  return issue.message.replace(/^Invalid input: /, '');
};

/** Parses the YAML of the configuration file. Problems come with their line. */
const readFile = (
  file: string,
  environment: NodeJS.ProcessEnv,
  production: boolean,
  problems: ConfigProblem[],
): FileConfig | null => {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  for (const error of document.errors) {
    problems.push({
      in: file,
      at: '(syntax)',
      line: lines.linePos(error.pos[0]).line,
      expected: `expected YAML (${error.code})`,
    });
  }
  if (document.errors.length > 0) return null;
  const parsed = fileSchema(environment, production).safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    let node: unknown = null;
    for (let length = issue.path.length; length > 0 && !node; length -= 1)
      node = document.getIn(issue.path.slice(0, length), true);
    const offset = isScalar(node) || isMap(node) ? node.range?.[0] : undefined;
    problems.push({
      in: file,
      at: pathText(issue.path),
      ...(offset === undefined ? {} : { line: lines.linePos(offset).line }),
      expected: expectedOf(issue),
    });
  }
  return null;
};

const databaseUrlExpected = 'expected sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME';

/** Throws for a URL of any other form. */
const locationOf = (url: string | undefined, dataFolder: string, folder: string): DatabaseLocation => {
  if (!url) return { engine: 'sqlite', file: join(dataFolder, 'counterfoil.sqlite') };
  const location = parseDatabaseUrl(url);
  return location.file ? { ...location, file: resolve(folder, location.file) } : location;
};

/**
 * The only reader of the environment and of `counterfoil.yaml`. Throws `ConfigInvalid` with every problem there is.
 * `folder` is where relative paths start.
 */
export const loadConfig = (environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): Config => {
  const problems: ConfigProblem[] = [];
  const note = (at: string, expected: string) => problems.push({ in: 'environment', at, expected });
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) for (const issue of parsed.error.issues) note(pathText(issue.path), expectedOf(issue));
  // What could be read is judged even where something else is wrong, so that all is said at once.
  const variables = parsed.success
    ? parsed.data
    : environmentSchema.parse(
        Object.fromEntries(
          Object.entries(given).filter(([name]) => !parsed.error.issues.some((issue) => issue.path[0] === name)),
        ),
      );
  const production = variables.NODE_ENV === 'production';
  const file = resolve(folder, variables.CONFIG_FILE);
  const hasFile = existsSync(file);
  if (!hasFile && (production || environment.CONFIG_FILE)) note('CONFIG_FILE', 'expected the path of a file that exists');
  const content = hasFile
    ? readFile(file, environment, production, problems)
    : fileSchema(environment, production).parse(demoFile);
  const usesDemo =
    content !== null && [...content.sources.helpdesk, ...content.sources.payments].some(({ kind }) => kind === 'demo');
  const dataFolder = resolve(folder, variables.DATA_DIR);
  const developmentIssuer = variables.DEVELOPMENT_ISSUER ?? !production;

  const databaseUrl = secretValue(given, 'DATABASE_URL');
  if (variables.DATABASE_URL_FILE && !databaseUrl) note('DATABASE_URL_FILE', 'expected the path of a readable file with the URL');
  let database: DatabaseLocation = { engine: 'sqlite', file: join(dataFolder, 'counterfoil.sqlite') };
  try {
    database = locationOf(databaseUrl, dataFolder, folder);
  } catch {
    note('DATABASE_URL', databaseUrlExpected);
  }
  if (production) {
    if (!databaseUrl) note('DATABASE_URL', 'expected in production: sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME');
    if (developmentIssuer) note('DEVELOPMENT_ISSUER', 'expected false in production: anybody can sign in with it');
    if (!variables.MFA_REQUIRED) note('MFA_REQUIRED', 'expected true in production');
    if (!variables.KEY_ENCRYPTION_KEY && !variables.KEY_ENCRYPTION_KEY_FILE)
      note('KEY_ENCRYPTION_KEY_FILE', 'expected in production, or KEY_ENCRYPTION_KEY: 32 random bytes');
    if (usesDemo)
      problems.push({ in: file, at: 'sources', expected: 'expected real sources in production, found the demo merchant' });
    if (content && content.identity.issuers.length === 0)
      problems.push({ in: file, at: 'identity.issuers', expected: 'expected at least one identity provider in production' });
  }
  if (!existsSync(resolve(folder, variables.POLICY_FILE))) note('POLICY_FILE', 'expected the path of a policy file that exists');
  if (problems.length > 0 || content === null) throw new ConfigInvalid(problems);
  return {
    production,
    sources: content.sources,
    sync: content.sync,
    issuers: content.identity.issuers,
    host: variables.HOST,
    port: variables.PORT,
    database,
    databasePool: variables.DATABASE_POOL,
    dataFolder,
    policyFile: resolve(folder, variables.POLICY_FILE),
    keyEncryption: variables.KEY_ENCRYPTION_KEY
      ? { value: variables.KEY_ENCRYPTION_KEY }
      : {
          file: variables.KEY_ENCRYPTION_KEY_FILE
            ? resolve(folder, variables.KEY_ENCRYPTION_KEY_FILE)
            : join(dataFolder, 'keys', 'key-encryption-key'),
          create: !production,
        },
    mfaRequired: variables.MFA_REQUIRED,
    developmentIssuer,
    corsOrigins: variables.CORS_ORIGINS,
    trustedProxies: variables.TRUSTED_PROXIES,
    rateLimit: variables.RATE_LIMIT,
    logLevel: variables.LOG_LEVEL ?? (production ? 'info' : 'warn'),
    demo: usesDemo ? { size: variables.DEMO_SIZE, seed: variables.DEMO_SEED } : null,
  };
};

/** What commands read that touch neither database nor sources, so that they run where no secret is: in CI, on a laptop. */
export type LocalConfig = Pick<Config, 'production' | 'developmentIssuer' | 'mfaRequired' | 'dataFolder' | 'policyFile'>;

/** Throws `ConfigInvalid` for these variables only. */
export const loadLocalConfig = (environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): LocalConfig => {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema
    .pick({ NODE_ENV: true, DATA_DIR: true, POLICY_FILE: true, MFA_REQUIRED: true, DEVELOPMENT_ISSUER: true })
    .safeParse(given);
  if (!parsed.success) {
    throw new ConfigInvalid(
      parsed.error.issues.map((issue) => ({ in: 'environment', at: pathText(issue.path), expected: expectedOf(issue) })),
    );
  }
  const { NODE_ENV, DATA_DIR, POLICY_FILE, MFA_REQUIRED, DEVELOPMENT_ISSUER } = parsed.data;
  const production = NODE_ENV === 'production';
  return {
    production,
    developmentIssuer: DEVELOPMENT_ISSUER ?? !production,
    mfaRequired: MFA_REQUIRED,
    dataFolder: resolve(folder, DATA_DIR),
    policyFile: resolve(folder, POLICY_FILE),
  };
};

/** Whether failures of the command line come with their stack. */
export const wantsStacks = (environment: NodeJS.ProcessEnv = process.env): boolean => Boolean(environment.DEBUG);

/** Where the database is, for tools that need nothing else of the configuration. Throws `ConfigInvalid`. */
export const databaseLocation = (environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): DatabaseLocation => {
  try {
    return locationOf(secretValue(environment, 'DATABASE_URL'), resolve(folder, environment.DATA_DIR || '.data'), folder);
  } catch {
    throw new ConfigInvalid([{ in: 'environment', at: 'DATABASE_URL', expected: databaseUrlExpected }]);
  }
};
