import { isIP } from 'node:net';
import { z } from 'zod';
import type { Environment } from './environment';
import { type ConfigProblem, expectedOf, pathText } from './problems';

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

/** An IP address, a range of them (CIDR), or one of the ranges that have a name. */
const isProxyAddress = (text: string): boolean => {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  // Wider ones belong to strangers, who could then say that they are anybody.
  const [fewest, most] = version === 4 ? [8, 32] : [16, 128];
  return /^\d{1,3}$/.test(bits) && Number(bits) >= fewest && Number(bits) <= most;
};

const proxyAddress = z
  .url({ protocol: /^https?$/, error: 'expected the address of a proxy such as http://proxy.example.com:3128' })
  .optional();

/** Those variables that commands read which touch neither database nor sources. */
const localVariables = {
  /** `production` refuses whatever is only fit for trying out. A word that only resembles it must not open the development issuer. */
  NODE_ENV: z.enum(['production', 'development', 'test'], { error: 'expected production, development or test' }).optional(),
  /** Folder of the embedded database and of keys made for development. */
  DATA_DIR: z.string().min(1).default('.data'),
  /** Sources, identity and bounds; without it, in development, the demo merchant. */
  CONFIG_FILE: z.string().min(1).default('counterfoil.yaml'),
  /** Who sees what. */
  POLICY_FILE: z.string().min(1).default('schema/exposure.yaml'),
  /** Which risk is told by what, and what follows of it. */
  RULES_FILE: z.string().min(1).default('schema/rules.yaml'),
  /** Staff without a second factor see no policed field. Production refuses `false`. */
  MFA_REQUIRED: flag(true),
  /** The development issuer and its demo people. Production refuses `true`. */
  DEVELOPMENT_ISSUER: flag(false).optional(),
};

export const localSchema = z.object(localVariables);

/** Every variable that is read, with what it means: the operator's manual. */
export const environmentSchema = z.object({
  ...localVariables,
  /** TCP port; 0 takes a free one. */
  PORT: whole(0, 65_535, 4000),
  /** Address to listen on: this machine only, unless told otherwise. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** `sqlite:PATH`, or `mysql://USER:PASSWORD@HOST:PORT/NAME` for MariaDB and MySQL, with `?tls=verify&ca=PATH` or `?socket=PATH`. */
  DATABASE_URL: z.string().optional(),
  /** File that holds it, so that the password needn't stand in the environment. */
  DATABASE_URL_FILE: z.string().optional(),
  /** Connections to MariaDB or MySQL for reading, and at most as many again for writing. */
  DATABASE_POOL: whole(1, 200, 10),
  /** 32 bytes in base64 that wrap every other key; or `id:base64[,id:base64…]` to rotate. */
  KEY_ENCRYPTION_KEY: z.string().min(1).optional(),
  /** File that holds it, readable by its owner only. */
  KEY_ENCRYPTION_KEY_FILE: z.string().min(1).optional(),
  /** Signs the audit log: an Ed25519 key as PEM (PKCS #8) or 32 bytes in base64; several to rotate, of which each signs. */
  AUDIT_SIGNING_KEY: z.string().min(1).optional(),
  /** File that holds it, readable by its owner only. */
  AUDIT_SIGNING_KEY_FILE: z.string().min(1).optional(),
  /** `process` where `counterfoil audit sequence` signs the log, so that gateways hold no signing key. */
  AUDIT_SEQUENCER: z.enum(['gateway', 'process'], { error: 'expected gateway or process' }).default('gateway'),
  /** Origins, separated by commas, whose pages may send requests; none unless named. */
  CORS_ORIGINS: z
    .string()
    .optional()
    .transform((text) => (text ?? '').split(',').flatMap((origin) => (origin.trim() === '' ? [] : [origin.trim()])))
    .pipe(
      z.array(
        z
          .string()
          .refine(
            (origin) => /^https?:[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin,
            'expected origins such as https://desk.example.com, separated by commas; no wildcard',
          ),
      ),
    ),
  /** Addresses of proxies in front of the gateway, separated by commas, whose X-Forwarded-For is believed. */
  TRUSTED_PROXIES: z
    .string()
    .optional()
    .transform((text) => (text ?? '').split(',').flatMap((address) => (address.trim() === '' ? [] : [address.trim()])))
    .pipe(
      z.array(
        z.string().refine(isProxyAddress, 'expected addresses or ranges such as 10.0.0.1 or 10.0.0.0/8, separated by commas'),
      ),
    ),
  /** The proxy through which HTTPS requests leave this network, and the hosts that are reached without it; also in lower case. */
  HTTPS_PROXY: proxyAddress,
  https_proxy: proxyAddress,
  NO_PROXY: z.string().optional(),
  no_proxy: z.string().optional(),
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

/** An empty variable is one that is not set. */
const given = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));

/**
 * The variables of a schema, and what is wrong with any of them. One that is wrong counts as not set, so that what could be
 * read is judged too and all is said at once.
 */
export const readVariables = <Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment,
): { readonly variables: z.output<Schema>; readonly problems: readonly ConfigProblem[] } => {
  const values = given(environment);
  const { success, data, error } = schema.safeParse(values);
  if (success) return { variables: data, problems: [] };
  const wrong = new Set(error.issues.map((issue) => String(issue.path[0])));
  return {
    variables: schema.parse(Object.fromEntries(Object.entries(values).filter(([name]) => !wrong.has(name)))),
    problems: error.issues.map((issue) => ({ in: 'environment', at: pathText(issue.path), expected: expectedOf(issue) })),
  };
};
