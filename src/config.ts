import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseWitnessKey } from './audit/cosignature';
import { NoteInvalid } from './audit/note';
import { parseSigningKeys, SigningKeyInvalid } from './audit/signing-key';
import { type IssuerConfiguration, issuersConfiguration } from './authz/identity/issuer';
import { channelsOf, type DeliveryChannelNames, deliveryOutline, mostAliases } from './config/channels';
import { environmentSchema } from './config/environment';
import { expectedOf, pathText } from './config/expected';
import { ConfigInvalid, type ConfigProblem } from './config/problems';
import { type DatabaseLocation, parseDatabaseUrl } from './db/location';
import { KeyEncryptionInvalid, keyEncryptionFromEnvironment, keyEncryptionFromFile } from './privacy/key-encryption';
import { KeyFileInvalid, readKeyFile } from './privacy/key-file';
import { isOneMailAddress } from './upstream/delivery/recipient';
import { defaultSmsTimeout, type SmsBodyValue } from './upstream/delivery/sms/http.sms';
import { defaultSmtpTimeouts } from './upstream/delivery/smtp/smtp.timeouts';
import { ticketStatuses } from './upstream/helpdesk/helpdesk.port';

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

const secretOf =
  (environment: NodeJS.ProcessEnv) =>
  (text: string, context: z.RefinementCtx, path: readonly PropertyKey[] = []): string => {
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message, path: [...path] });
      return z.NEVER;
    };
    const [, name] = reference.exec(text) ?? [];
    if (name === undefined)
      return refuse('expected an environment reference such as ${RT_TOKEN}: secrets do not belong in this file');
    const value = secretValue(environment, name);
    return value || refuse(`the environment has no ${name}, nor ${name}_FILE with a readable file`);
  };

const secret = (environment: NodeJS.ProcessEnv) =>
  z
    .string({ error: 'expected an environment reference such as ${RT_TOKEN}' })
    .transform((text, context) => secretOf(environment)(text, context));

const sourceName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name: lower-case letters, digits and hyphens');
const loopbackHosts = ['localhost', '127.0.0.1', '::1', '[::1]'];
/** An address that isn't one is reported by whoever asks for one. */
const isInClear = (url: string): boolean =>
  /^http:/i.test(url) && URL.canParse(url) && !loopbackHosts.includes(new URL(url).hostname);
const httpUrl = (production: boolean) =>
  z
    .url({ protocol: /^https?$/, error: 'expected an address such as https://rt.example.com' })
    .refine((url) => !production || !isInClear(url), 'expected https: a token must not travel in clear');

const resilience = z
  .strictObject({
    attemptTimeout: z.int().min(100).max(60_000),
    retries: z.int().min(0).max(5),
    breakAfter: z.int().min(1).max(100),
    breakFor: z.int().min(100).max(600_000),
    concurrency: z.int().min(1).max(64),
  })
  .partial();

/** What is shown to people, or stands in a header. */
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1, 'expected a text')
    .max(most, `expected at most ${most} characters`)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'expected one line');

const merchant = z.strictObject({
  /** As customers know it. */
  name: line(80),
  /** Where a customer turns to who is unsure; shown as a link. */
  supportUrl: z
    .url({ protocol: /^(?:https|mailto)$/, error: 'expected an address such as https://shop.example.com/help' })
    .optional(),
});

const publicUrl = (production: boolean) => {
  const expected = 'expected an address such as https://gateway.example.com, without path, query or credentials';
  return z
    .url({ protocol: /^https?$/, error: expected })
    .refine((url) => !URL.canParse(url) || new URL(url).origin === url.replace(/\/$/, '').toLowerCase(), expected)
    .refine((url) => !production || !isInClear(url), 'expected https: customers confirm there')
    .transform((url) => new URL(url).origin);
};

const mailAddress = z.string().refine(isOneMailAddress, 'expected one address such as payments@example.com, without a name');
const milliseconds = (otherwise: number) => z.int().min(100).max(300_000).default(otherwise);

/** The certificates of a PEM file. */
const certificates = (folder: string) =>
  z.string().transform((path, context) => {
    try {
      const [...found] = readFileSync(resolve(folder, path), 'utf8').matchAll(
        /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
      );
      const texts = found.map(([text]) => new X509Certificate(text).toString());
      if (texts.length > 0) return texts.join('');
    } catch {
      // Said below; the error's own words would repeat what the file holds.
    }
    context.addIssue({ code: 'custom', message: 'expected the path of a readable file with certificates in PEM' });
    return z.NEVER;
  });

const smtpPorts = { implicit: 465, starttls: 587, none: 25 } as const;
const smtp = (environment: NodeJS.ProcessEnv, production: boolean, folder: string) =>
  z
    .strictObject({
      kind: z.literal('smtp'),
      host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'expected a host name or an IP address'),
      port: z.int().min(1).max(65_535).optional(),
      tls: z.enum(['implicit', 'starttls', 'none'], { error: 'expected implicit, starttls or none' }).default('starttls'),
      caFile: certificates(folder).optional(),
      user: line(200).optional(),
      password: secret(environment).optional(),
      from: z.strictObject({ name: line(80).optional(), address: mailAddress }),
      replyTo: mailAddress.optional(),
      timeouts: z
        .strictObject({
          connection: milliseconds(defaultSmtpTimeouts.connection),
          greeting: milliseconds(defaultSmtpTimeouts.greeting),
          socket: milliseconds(defaultSmtpTimeouts.socket),
          whole: milliseconds(defaultSmtpTimeouts.whole),
        })
        .prefault({}),
    })
    .refine(({ user, password }) => (user === undefined) === (password === undefined), {
      path: ['password'],
      error: 'expected user and password together, or neither',
    })
    .refine(({ tls, host }) => !production || tls !== 'none' || loopbackHosts.includes(host), {
      path: ['tls'],
      error: 'expected implicit or starttls: what lets a customer confirm must not travel in clear',
    })
    .transform(({ port, caFile, user, password, ...rest }) => ({
      ...rest,
      port: port ?? smtpPorts[rest.tls],
      ca: caFile,
      account: user === undefined || password === undefined ? undefined : { user, password },
    }));

/** What a request's body may hold: no deeper than interfaces of gateways are, so that an alias to itself ends. */
const smsBodyValue = (depth: number): z.ZodType<SmsBodyValue> => {
  const plain = [z.string(), z.number(), z.boolean()] as const;
  const expected = 'expected texts, numbers, true or false, in lists or maps of few levels';
  if (depth === 0) return z.union(plain, { error: expected });
  const inner = smsBodyValue(depth - 1);
  return z.union([...plain, z.array(inner).max(50), z.record(z.string(), inner)], { error: expected });
};
const textsIn = (value: SmsBodyValue): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [];

/** Names that a secret usually goes by. */
const secretName = /authoriz|auth(?!or)|key$|token|secret|passw|signature/i;
/** Those that the request itself decides. */
const ownHeaders = /^(?:content-type|content-length|transfer-encoding|host|connection|expect|upgrade|te|trailer|keep-alive)$/i;

const httpSms = (environment: NodeJS.ProcessEnv) => {
  const resolved = secretOf(environment);
  /** A secret's name asks for a reference; any other word may stand as it is. */
  const wordOf = (name: string, value: SmsBodyValue, context: z.RefinementCtx, path: readonly PropertyKey[]): SmsBodyValue => {
    if (typeof value === 'string') return secretName.test(name) || reference.test(value) ? resolved(value, context, path) : value;
    if (typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((each: SmsBodyValue, index) => wordOf(name, each, context, [...path, index]));
    return Object.fromEntries(
      Object.entries(value).map(([inner, each]) => [inner, wordOf(inner, each, context, [...path, inner])]),
    );
  };
  return z
    .strictObject({
      kind: z.literal('http'),
      url: z
        .url({ protocol: /^https?$/, error: 'expected an address such as https://sms.example.com/messages' })
        .refine((url) => !isInClear(url), 'expected https: a code must not travel in clear')
        .refine(
          (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
          'expected no credentials in the address: a header carries them',
        ),
      method: z.enum(['POST', 'PUT'], { error: 'expected POST or PUT' }).default('POST'),
      headers: z
        .record(
          z
            .string()
            .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'expected names of headers')
            .refine((name) => !ownHeaders.test(name), 'expected no header that the request itself decides'),
          z.string(),
        )
        .default({}),
      contentType: z.enum(['json', 'form'], { error: 'expected json or form' }).default('json'),
      body: z.record(z.string(), smsBodyValue(4)),
      phone: z.enum(['e164', 'digits'], { error: 'expected e164 or digits' }).optional(),
      timeout: milliseconds(defaultSmsTimeout),
    })
    .superRefine(({ body, contentType }, context) => {
      const texts = textsIn(body);
      for (const word of ['{to}', '{text}'])
        if (!texts.some((text) => text.includes(word)))
          context.addIssue({
            code: 'custom',
            path: ['body'],
            message: `expected ${word} in a value: it stands for what is sent`,
          });
      if (contentType === 'form')
        for (const [name, value] of Object.entries(body))
          if (typeof value === 'object')
            context.addIssue({ code: 'custom', path: ['body', name], message: 'expected a text: a form holds no lists or maps' });
    })
    .transform((sms, context) => {
      const headers = Object.entries(sms.headers).map(([name, value]): [string, string] => {
        const word = wordOf(name, value, context, ['headers', name]);
        if (typeof word === 'string' && /^[\x20-\x7e]*$/.test(word)) return [name, word];
        // What couldn't be read is reported already.
        if (typeof word === 'string')
          context.addIssue({ code: 'custom', path: ['headers', name], message: 'expected one line of ASCII' });
        return [name, ''];
      });
      return {
        ...sms,
        headers: Object.fromEntries(headers),
        body: wordOf('', sms.body, context, ['body']) as Readonly<Record<string, SmsBodyValue>>,
      };
    });
};

/** In development, and only there: messages as files, beside a channel that sends. */
const files = z.strictObject({ kind: z.literal('files') });

/** The name under which the log is signed where nothing else is said: that of no one, for development. */
const developmentOrigin = 'counterfoil.invalid/development';

const anchorName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name: lower-case letters, digits and hyphens');
const witnessKey = z.string().refine((text) => {
  try {
    parseWitnessKey(text);
    return true;
  } catch (error) {
    if (error instanceof NoteInvalid) return false;
    throw error;
  }
}, 'expected a witness key as name+hash+base64, of type cosignature/v1, as the witness publishes it');

/** The audit log's name and the places outside its owner's reach where checkpoints go. */
const auditSchema = (production: boolean) =>
  z
    .strictObject({
      origin: z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/,
          'expected a name without a scheme that nobody else uses, such as counterfoil.example.com/audit: 64 of A-Z a-z 0-9 . _ / - at most',
        )
        .optional(),
      anchors: z
        .array(
          z.discriminatedUnion(
            'kind',
            [
              z.strictObject({ kind: z.literal('file'), name: anchorName, path: z.string().min(1) }),
              z.strictObject({ kind: z.literal('witness'), name: anchorName, url: httpUrl(production), key: witnessKey }),
            ],
            { error: 'expected a known kind: file or witness' },
          ),
        )
        .max(8)
        .refine(
          (anchors) => new Set(anchors.map(({ name }) => name)).size === anchors.length,
          'expected anchors of different names',
        )
        .default([]),
    })
    .prefault({});

export type AnchorConfig = z.output<ReturnType<typeof auditSchema>>['anchors'][number];

const fileSchema = (environment: NodeJS.ProcessEnv, production: boolean, folder: string) => {
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
  const sections = z.strictObject({
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
        openSeconds: z.number().min(1).max(60).default(7.5),
      })
      .prefault({}),
    updates: z
      .strictObject({
        /** For how long one process has a job of a credential update to itself: longer than a call to a provider takes. */
        leaseSeconds: z.number().min(1).max(600).default(60),
      })
      .prefault({}),
    merchant: merchant.default({ name: 'Demo Shop' }),
    publicUrl: publicUrl(production).optional(),
    /** Where it stands it says all: what it doesn't name isn't there. */
    delivery: z
      .strictObject({
        mail: z.discriminatedUnion('kind', [smtp(environment, production, folder), files]).optional(),
        sms: z.discriminatedUnion('kind', [httpSms(environment), files]).optional(),
      })
      .optional(),
    audit: auditSchema(production),
  });
  return sections.refine(
    ({ updates, delivery }) => delivery?.mail?.kind !== 'smtp' || delivery.mail.timeouts.whole < updates.leaseSeconds * 1_000,
    {
      path: ['delivery', 'mail', 'timeouts', 'whole'],
      error: 'expected less than updates.leaseSeconds: another process would send the same mail meanwhile',
    },
  );
};

export type FileConfig = z.output<ReturnType<typeof fileSchema>>;
export type HelpdeskConfig = FileConfig['sources']['helpdesk'][number];
export type PaymentsConfig = FileConfig['sources']['payments'][number];
type DeliverySection = NonNullable<FileConfig['delivery']>;
export type SmtpConfig = Extract<DeliverySection['mail'], { kind: 'smtp' }>;
export type HttpSmsConfig = Extract<DeliverySection['sms'], { kind: 'http' }>;

export interface AuditConfig {
  readonly origin: string;
  readonly anchors: readonly AnchorConfig[];
  /** What `parseSigningKeys` takes, or the file that is made with a key in development; null in a gateway that doesn't sign. */
  readonly signingKey: { readonly value: string } | { readonly file: string } | null;
}

export interface Config extends Pick<FileConfig, 'sources' | 'sync' | 'updates'> {
  readonly audit: AuditConfig;
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
  /** As customers know it. */
  readonly merchant: { readonly name: string; readonly supportUrl: string | null };
  /** Origin that customers reach the gateway at; null for the address that is listened on. */
  readonly publicUrl: string | null;
  /** What sends; null where nothing does, or files take its place. `folder` is where those are. */
  readonly delivery: { readonly mail: SmtpConfig | null; readonly sms: HttpSmsConfig | null; readonly folder: string };
  readonly channels: DeliveryChannelNames;
}

const demoFile = {
  sources: { helpdesk: [{ kind: 'demo', name: 'demo' }], payments: [{ kind: 'demo', name: 'demo-pay', helpdesk: 'demo' }] },
};

/** What of a file can be judged by itself, whatever else is wrong with it. */
interface Outline {
  readonly config: FileConfig | null;
  readonly usesDemo: boolean;
  readonly hasIssuers: boolean;
}
const unread: Outline = { config: null, usesDemo: false, hasIssuers: true };

const outlineSchema = z.object({
  sources: z
    .object({ helpdesk: z.array(z.unknown()).catch([]), payments: z.array(z.unknown()).catch([]) })
    .catch({ helpdesk: [], payments: [] }),
  identity: z.object({ issuers: z.array(z.unknown()).catch([]) }).catch({ issuers: [] }),
});
const namedSource = z.object({ name: z.string().catch(''), kind: z.string().catch('') }).catch({ name: '', kind: '' });

/** Parses the YAML of the configuration file. Problems come with their line. */
const readFile = (
  file: string,
  environment: NodeJS.ProcessEnv,
  production: boolean,
  folder: string,
  problems: ConfigProblem[],
): Outline => {
  const lines = new LineCounter();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    problems.push({ in: file, at: '(the whole)', expected: 'expected a readable file' });
    return unread;
  }
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  for (const error of document.errors) {
    problems.push({
      in: file,
      at: '(syntax)',
      line: lines.linePos(error.pos[0]).line,
      expected: `expected YAML (${error.code})`,
    });
  }
  if (document.errors.length > 0) return unread;
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: mostAliases });
  } catch {
    problems.push({ in: file, at: '(the whole)', expected: 'expected anchors before their aliases, and few of them' });
    return unread;
  }
  const parsed = fileSchema(environment, production, folder).safeParse(content);
  const { sources, identity } = outlineSchema
    .catch({ sources: { helpdesk: [], payments: [] }, identity: { issuers: [] } })
    .parse(content);
  const all = [...sources.helpdesk, ...sources.payments].map((source) => namedSource.parse(source));
  const outline = { usesDemo: all.some(({ kind }) => kind === 'demo'), hasIssuers: identity.issuers.length > 0 };
  // Zod compares the sources only where nothing else is wrong with them.
  const issues = [...crossProblems(sources), ...(production ? deliveryProblems(content) : [])];
  if (parsed.success && issues.length === 0) return { config: parsed.data, ...outline };
  issues.unshift(...(parsed.error?.issues ?? []).map((issue) => ({ path: issue.path, expected: expectedOf(issue) })));
  for (const issue of issues) {
    let node: unknown = null;
    for (let length = issue.path.length; length > 0 && !node; length -= 1)
      node = document.getIn(issue.path.slice(0, length), true);
    const offset = isScalar(node) || isMap(node) ? node.range?.[0] : undefined;
    problems.push({
      in: file,
      at: pathText(issue.path),
      ...(offset === undefined ? {} : { line: lines.linePos(offset).line }),
      expected: issue.expected,
    });
  }
  return { config: null, ...outline };
};

interface PlacedProblem {
  readonly path: readonly PropertyKey[];
  readonly expected: string;
}

/** What production needs to reach customers, and what it must not take for that. */
const deliveryProblems = (content: unknown): PlacedProblem[] => {
  const { merchant, publicUrl, delivery = {} } = deliveryOutline.safeParse(content).data ?? {};
  const problems: PlacedProblem[] = [];
  for (const channel of ['mail', 'sms'])
    if (namedSource.parse(delivery[channel]).kind === 'files')
      problems.push({
        path: ['delivery', channel, 'kind'],
        expected: 'expected a channel that sends: in production nobody reads files',
      });
  if (delivery.mail === undefined) return problems;
  if (merchant === undefined)
    problems.push({ path: ['merchant'], expected: 'expected in production with mail: the name that customers know' });
  if (publicUrl === undefined)
    problems.push({ path: ['publicUrl'], expected: 'expected in production with mail: the address that links lead to' });
  return problems;
};

/** What sources must be among each other. */
const crossProblems = (sources: {
  readonly helpdesk: readonly unknown[];
  readonly payments: readonly unknown[];
}): PlacedProblem[] => {
  const placed = (['helpdesk', 'payments'] as const).flatMap((side) =>
    sources[side].map((source, index) => ({ path: ['sources', side, index] as const, ...namedSource.parse(source) })),
  );
  const names = placed.map(({ name }) => name);
  const helpdesks = placed.filter(({ path }) => path[1] === 'helpdesk').map(({ name }) => name);
  const problems: PlacedProblem[] = [];
  placed.forEach(({ path, name, kind }, index) => {
    if (name !== '' && names.indexOf(name) !== index)
      problems.push({ path: [...path, 'name'], expected: 'expected a name that no other source has' });
    const source = sources[path[1]][path[2]];
    const helpdesk = z.object({ helpdesk: z.string() }).safeParse(source).data?.helpdesk;
    if (path[1] === 'payments' && kind === 'demo' && helpdesk !== undefined && !helpdesks.includes(helpdesk))
      problems.push({
        path: [...path, 'helpdesk'],
        expected: `expected the name of a helpdesk source: ${helpdesks.filter((each) => sourceName.safeParse(each).success).join(', ')}`,
      });
  });
  return problems;
};

const isReadableFile = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** A key that is given must be one; in development a missing file is made later. */
const keyProblems = (
  {
    KEY_ENCRYPTION_KEY: value,
    KEY_ENCRYPTION_KEY_FILE: path,
  }: { readonly KEY_ENCRYPTION_KEY?: string | undefined; readonly KEY_ENCRYPTION_KEY_FILE?: string | undefined },
  folder: string,
  production: boolean,
): ConfigProblem[] => {
  const file = path === undefined ? undefined : resolve(folder, path);
  try {
    if (value !== undefined) keyEncryptionFromEnvironment(value);
    else if (file !== undefined && (production || existsSync(file))) keyEncryptionFromFile(file, { create: false });
    return [];
  } catch (error) {
    if (!(error instanceof KeyEncryptionInvalid)) throw error;
    const at = value === undefined ? 'KEY_ENCRYPTION_KEY_FILE' : 'KEY_ENCRYPTION_KEY';
    return [{ in: 'environment', at, expected: error.message.replace(`${at}: `, '') }];
  }
};

interface SigningVariables {
  readonly AUDIT_SIGNING_KEY?: string | undefined;
  readonly AUDIT_SIGNING_KEY_FILE?: string | undefined;
}

/** The log's signing key as it is configured. What is wrong with it is noted among `problems`; in development one is made. */
const signingKeyOf = (
  { AUDIT_SIGNING_KEY: value, AUDIT_SIGNING_KEY_FILE: path }: SigningVariables,
  { folder, dataFolder, production }: { readonly folder: string; readonly dataFolder: string; readonly production: boolean },
  problems: ConfigProblem[],
): AuditConfig['signingKey'] => {
  const at = value === undefined ? 'AUDIT_SIGNING_KEY_FILE' : 'AUDIT_SIGNING_KEY';
  const note = (expected: string) => problems.push({ in: 'environment', at, expected });
  if (value === undefined && path === undefined) {
    if (production) note('expected in production, or AUDIT_SIGNING_KEY, or AUDIT_SEQUENCER=process where another process signs');
    return { file: join(dataFolder, 'keys', 'audit-signing-key') };
  }
  try {
    const text = value ?? readKeyFile(resolve(folder, path as string))?.toString('utf8');
    if (text === undefined) note('expected the path of a file that exists');
    else parseSigningKeys(text);
    return { value: text ?? '' };
  } catch (error) {
    if (!(error instanceof SigningKeyInvalid || error instanceof KeyFileInvalid)) throw error;
    note(error.message);
    return null;
  }
};

const auditConfig = (
  file: FileConfig['audit'] | undefined,
  variables: SigningVariables & { readonly AUDIT_SEQUENCER: 'gateway' | 'process' },
  place: { readonly folder: string; readonly dataFolder: string; readonly production: boolean; readonly file: string },
  problems: ConfigProblem[],
): AuditConfig => {
  if (place.production && file && file.origin === undefined)
    problems.push({
      in: place.file,
      at: 'audit.origin',
      expected: 'expected in production: the name under which the log is signed, such as counterfoil.example.com/audit',
    });
  return {
    origin: file?.origin ?? developmentOrigin,
    anchors: (file?.anchors ?? []).map((anchor) =>
      anchor.kind === 'file' ? { ...anchor, path: resolve(place.folder, anchor.path) } : anchor,
    ),
    signingKey: variables.AUDIT_SEQUENCER === 'process' ? null : signingKeyOf(variables, place, problems),
  };
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
  const {
    config: content,
    usesDemo,
    hasIssuers,
  } = hasFile
    ? readFile(file, environment, production, folder, problems)
    : { config: fileSchema(environment, production, folder).parse(demoFile), usesDemo: true, hasIssuers: false };
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
    if (hasFile && usesDemo)
      problems.push({ in: file, at: 'sources', expected: 'expected real sources in production, found the demo merchant' });
    if (hasFile && !hasIssuers)
      problems.push({ in: file, at: 'identity.issuers', expected: 'expected at least one identity provider in production' });
  }
  if (database.engine === 'sqlite' && variables.AUDIT_SEQUENCER === 'process')
    note('AUDIT_SEQUENCER', 'expected gateway with an embedded database: its file belongs to one process');
  for (const problem of keyProblems(variables, folder, production)) problems.push(problem);
  const audit = auditConfig(hasFile ? content?.audit : undefined, variables, { folder, dataFolder, production, file }, problems);
  if (!isReadableFile(resolve(folder, variables.POLICY_FILE)))
    note('POLICY_FILE', 'expected the path of a policy file that can be read');
  if (problems.length > 0 || content === null) throw new ConfigInvalid(problems);
  return {
    production,
    sources: content.sources,
    sync: content.sync,
    updates: content.updates,
    audit,
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
    merchant: { name: content.merchant.name, supportUrl: content.merchant.supportUrl ?? null },
    publicUrl: content.publicUrl ?? null,
    delivery: {
      mail: content.delivery?.mail?.kind === 'smtp' ? content.delivery.mail : null,
      sms: content.delivery?.sms?.kind === 'http' ? content.delivery.sms : null,
      folder: join(dataFolder, 'mail'),
    },
    channels: channelsOf(content.delivery, production),
  };
};

/** What a process needs that has to do with the audit log only: no source, no issuer, no key of customers. */
export interface AuditProcessConfig extends Pick<Config, 'production' | 'database' | 'databasePool' | 'audit' | 'logLevel'> {}

/**
 * For commands about the audit log, which needn't hold the gateway's other secrets. `signs`: the signing key is asked for,
 * whoever sequences otherwise. Throws `ConfigInvalid`.
 */
export const loadAuditConfig = (
  { signs }: { readonly signs: boolean },
  environment: NodeJS.ProcessEnv = process.env,
  folder = process.cwd(),
): AuditProcessConfig => {
  const problems: ConfigProblem[] = [];
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema
    .pick({
      NODE_ENV: true,
      DATABASE_POOL: true,
      DATA_DIR: true,
      CONFIG_FILE: true,
      AUDIT_SIGNING_KEY: true,
      AUDIT_SIGNING_KEY_FILE: true,
      LOG_LEVEL: true,
    })
    .safeParse(given);
  if (!parsed.success)
    throw new ConfigInvalid(
      parsed.error.issues.map((issue) => ({ in: 'environment', at: pathText(issue.path), expected: expectedOf(issue) })),
    );
  const variables = parsed.data;
  const production = variables.NODE_ENV === 'production';
  const file = resolve(folder, variables.CONFIG_FILE);
  const dataFolder = resolve(folder, variables.DATA_DIR);
  const database = databaseLocation(environment, folder);
  const audit = auditConfig(
    auditOfFile(file, production, problems),
    { ...variables, AUDIT_SEQUENCER: signs ? 'gateway' : 'process' },
    { folder, dataFolder, production, file },
    problems,
  );
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return {
    production,
    database,
    databasePool: variables.DATABASE_POOL,
    audit,
    logLevel: variables.LOG_LEVEL ?? (production ? 'info' : 'warn'),
  };
};

/** The part `audit` of the file, whatever else stands in it or is missing around it. */
const auditOfFile = (file: string, production: boolean, problems: ConfigProblem[]): FileConfig['audit'] => {
  const nothing = auditSchema(production).parse({});
  if (!existsSync(file)) return nothing;
  const document = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: false });
  const content = document.errors.length > 0 ? null : (document.toJS({ maxAliasCount: mostAliases }) as unknown);
  const part = z.object({ audit: auditSchema(production) }).safeParse(content);
  if (part.success) return part.data.audit;
  for (const issue of part.error.issues) problems.push({ in: file, at: pathText(issue.path), expected: expectedOf(issue) });
  return nothing;
};

/** Where the database is, for tools that need nothing else of the configuration. Throws `ConfigInvalid`. */
export const databaseLocation = (environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): DatabaseLocation => {
  try {
    return locationOf(secretValue(environment, 'DATABASE_URL'), resolve(folder, environment.DATA_DIR || '.data'), folder);
  } catch {
    throw new ConfigInvalid([{ in: 'environment', at: 'DATABASE_URL', expected: databaseUrlExpected }]);
  }
};
