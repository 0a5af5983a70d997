import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSigningKeys, SigningKeyInvalid, seedOf } from '../audit/signing-key';
import type { DpopSettings } from '../authz/identity/dpop.section';
import type { IssuerConfiguration } from '../authz/identity/issuer';
import type { DatabaseLocation } from '../db/location';
import type { EmbedsSection } from '../features/embeds/embeds.section';
import type { SignInSection } from '../features/sign-in/sign-in.section';
import type { AuditSection } from '../ledger/audit.section';
import type { AuditSettings } from '../ledger/audit-settings';
import type { MarkPlace } from '../ledger/mark';
import { KeyEncryptionInvalid, keyEncryptionFromEnvironment, keyEncryptionFromFile } from '../privacy/key-encryption';
import { KeyFileInvalid, readKeyFile } from '../privacy/key-file';
import { isInClear } from '../section';
import type { DeliverySettings } from '../upstream/delivery/delivery-channels';
import type { Outgoing } from '../upstream/outgoing';
import { channelsOf, type DeliveryChannelNames } from './channels';
import { databaseOf } from './database';
import { type Environment, processEnvironment, secretValue } from './environment';
import { auditOfFile, demoFile, type FileConfig, readFile } from './file';
import { ConfigInvalid, type ConfigProblem } from './problems';
import { environmentSchema, readVariables } from './variables';

/** The name under which the log is signed where nothing else is said: that of no one, for development. */
const developmentOrigin = 'counterfoil.invalid/development';

export interface Config
  extends Pick<FileConfig, 'sources' | 'sync' | 'updates' | 'signals' | 'webhooks' | 'limits' | 'operations'> {
  readonly audit: AuditSettings;
  /** For so many days after somebody's last event what they are called is kept. */
  readonly namesKeptDays: number;
  readonly production: boolean;
  readonly issuers: readonly IssuerConfiguration[];
  readonly dpop: DpopSettings;
  readonly host: string;
  readonly port: number;
  readonly database: DatabaseLocation;
  readonly databasePool: number;
  readonly dataFolder: string;
  readonly policyFile: string;
  readonly rulesFile: string;
  readonly keyEncryption: { readonly value: string } | { readonly file: string; readonly create: boolean };
  readonly mfaRequired: boolean;
  readonly developmentIssuer: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly rateLimit: number;
  readonly outgoing: Outgoing;
  readonly logLevel: string;
  readonly demo: { readonly size: number; readonly seed: number } | null;
  /** How staff sign in with a browser; null where they don’t. */
  readonly signIn: SignInSection | null;
  /** In which helpdesks' pages the panel is shown. */
  readonly embeds: EmbedsSection;
  /** As customers know it. */
  readonly merchant: { readonly name: string; readonly supportUrl: string | null };
  /** Origin that customers reach the gateway at; null for the address that is listened on. */
  readonly publicUrl: string | null;
  readonly delivery: DeliverySettings['delivery'];
  readonly channels: DeliveryChannelNames;
}

const isReadableFile = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

interface KeyVariables {
  readonly KEY_ENCRYPTION_KEY?: string | undefined;
  readonly KEY_ENCRYPTION_KEY_FILE?: string | undefined;
}

/** A key that is given must be one, and none that signs; in development a missing file is made later. */
const keyProblems = (
  { KEY_ENCRYPTION_KEY: value, KEY_ENCRYPTION_KEY_FILE: path }: KeyVariables,
  { folder, production, signing }: { readonly folder: string; readonly production: boolean; readonly signing: string | null },
): ConfigProblem[] => {
  const file = path === undefined ? undefined : resolve(folder, path);
  const at = value === undefined ? 'KEY_ENCRYPTION_KEY_FILE' : 'KEY_ENCRYPTION_KEY';
  const problem = (expected: string) => [{ in: 'environment', at, expected }];
  try {
    const encryption =
      value !== undefined
        ? keyEncryptionFromEnvironment(value)
        : file !== undefined && (production || existsSync(file))
          ? keyEncryptionFromFile(file, { create: false })
          : null;
    const isShared = signing !== null && parseSigningKeys(signing).some((key) => encryption?.holds(seedOf(key)) === true);
    return isShared
      ? problem('expected another key than AUDIT_SIGNING_KEY: who may sign could open everything that is sealed')
      : [];
  } catch (error) {
    if (!(error instanceof KeyEncryptionInvalid)) throw error;
    return problem(error.message.replace(`${at}: `, ''));
  }
};

const developmentKeyFile = (dataFolder: string): string => join(dataFolder, 'keys', 'audit-signing-key');

interface SigningVariables {
  readonly AUDIT_SIGNING_KEY?: string | undefined;
  readonly AUDIT_SIGNING_KEY_FILE?: string | undefined;
}

/** The log's signing key as it is configured. What is wrong with it is noted among `problems`; in development one is made. */
const signingKeyOf = (
  { AUDIT_SIGNING_KEY: value, AUDIT_SIGNING_KEY_FILE: path }: SigningVariables,
  { folder, dataFolder, production }: { readonly folder: string; readonly dataFolder: string; readonly production: boolean },
  problems: ConfigProblem[],
): AuditSettings['signingKey'] => {
  const at = value === undefined ? 'AUDIT_SIGNING_KEY_FILE' : 'AUDIT_SIGNING_KEY';
  const note = (expected: string) => problems.push({ in: 'environment', at, expected });
  if (value === undefined && path === undefined) {
    if (production) note('expected in production, or AUDIT_SIGNING_KEY, or AUDIT_SEQUENCER=process where another process signs');
    return { file: developmentKeyFile(dataFolder) };
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

/** Somebody's tokens have to be bound to a key, and nothing says which address their proofs are for. */
const needsAddress = ({ issuers, dpop }: FileConfig['identity']): boolean =>
  dpop.addresses === undefined && issuers.some(({ dpopRequired }) => dpopRequired !== false);

/** Something else stands there, or on the way there: a folder, a device, a pipe. */
const isNoFile = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === false;
  } catch {
    return true;
  }
};

/** In development an embedded database has a mark beside it, unless the configuration names another. */
const markOf = (
  file: string | undefined,
  place: { readonly folder: string; readonly production: boolean; readonly database: DatabaseLocation },
): MarkPlace | null => {
  if (file !== undefined) return { file: resolve(place.folder, file), isDefault: false };
  if (place.production || place.database.engine !== 'sqlite') return null;
  return { file: `${place.database.file}.mark`, isDefault: true };
};

const auditConfig = (
  file: AuditSection | undefined,
  variables: SigningVariables & { readonly AUDIT_SEQUENCER: 'gateway' | 'process' },
  place: {
    readonly folder: string;
    readonly dataFolder: string;
    readonly production: boolean;
    readonly file: string;
    readonly database: DatabaseLocation;
    /** This process signs, or holds the log against what was signed as one that does. */
    readonly marks: boolean;
  },
  problems: ConfigProblem[],
): AuditSettings => {
  if (place.production && file && file.origin === undefined)
    problems.push({
      in: place.file,
      at: 'audit.origin',
      expected: 'expected in production: the name under which the log is signed, such as counterfoil.example.com/audit',
    });
  const isSignedElsewhere = variables.AUDIT_SEQUENCER === 'process';
  for (const [index, anchor] of (file?.anchors ?? []).entries())
    if (anchor.kind === 'file' && isNoFile(resolve(place.folder, anchor.path)))
      problems.push({
        in: place.file,
        at: `audit.anchors[${index}].path`,
        expected: 'expected an ordinary file, or one that is not there yet: a device or a pipe keeps nothing',
      });
  const mark = markOf(file?.mark, place);
  if (place.marks && place.production && file && mark === null)
    problems.push({
      in: place.file,
      at: 'audit.mark',
      expected:
        'expected in production: a file on a volume that lasts, outside the database, where the largest checkpoint is noted; each process that signs has its own',
    });
  if (mark !== null && isNoFile(mark.file))
    problems.push({ in: place.file, at: 'audit.mark', expected: 'expected an ordinary file, or one that is not there yet' });
  return {
    origin: file?.origin ?? developmentOrigin,
    anchors: (file?.anchors ?? []).map((anchor) =>
      anchor.kind === 'file' ? { ...anchor, path: resolve(place.folder, anchor.path) } : anchor,
    ),
    signingKey: isSignedElsewhere ? null : signingKeyOf(variables, place, problems),
    ...(file?.keys ? { keys: file.keys } : {}),
    ...(place.marks && mark !== null ? { mark } : {}),
    ...(isSignedElsewhere && !place.production ? { developmentKeyFile: developmentKeyFile(place.dataFolder) } : {}),
  };
};

/**
 * The only reader of the environment and of `counterfoil.yaml`. Throws `ConfigInvalid` with every problem there is.
 * `folder` is where relative paths start.
 */
export const loadConfig = (environment: Environment = processEnvironment(), folder = process.cwd()): Config => {
  const problems: ConfigProblem[] = [];
  const note = (at: string, expected: string) => problems.push({ in: 'environment', at, expected });
  const { variables, problems: wrong } = readVariables(environmentSchema, environment);
  problems.push(...wrong);
  const production = variables.NODE_ENV === 'production';
  const file = resolve(folder, variables.CONFIG_FILE);
  const hasFile = existsSync(file);
  const section = { production, folder, secretValue: (name: string) => secretValue(environment, name) };
  if (!hasFile && (production || environment.CONFIG_FILE)) note('CONFIG_FILE', 'expected the path of a file that exists');
  const {
    config: content,
    usesDemo,
    hasIssuers,
  } = hasFile ? readFile(file, section, problems) : { config: demoFile(section), usesDemo: true, hasIssuers: false };
  const dataFolder = resolve(folder, variables.DATA_DIR);
  const developmentIssuer = variables.DEVELOPMENT_ISSUER ?? !production;

  const database = databaseOf(environment, { folder, dataFolder, production }, problems);
  if (production) {
    if (developmentIssuer) note('DEVELOPMENT_ISSUER', 'expected false in production: anybody can sign in with it');
    if (!variables.MFA_REQUIRED) note('MFA_REQUIRED', 'expected true in production');
    variables.CORS_ORIGINS.forEach((origin, index) => {
      if (isInClear(origin))
        note(`CORS_ORIGINS[${index}]`, 'expected https in production: whoever is on the way could be that page');
    });
    if (!variables.KEY_ENCRYPTION_KEY && !variables.KEY_ENCRYPTION_KEY_FILE)
      note('KEY_ENCRYPTION_KEY_FILE', 'expected in production, or KEY_ENCRYPTION_KEY: 32 random bytes');
    if (content && variables.AUDIT_SEQUENCER === 'process' && !content.audit.keys?.length)
      problems.push({
        in: file,
        at: 'audit.keys',
        expected:
          'expected where another process signs: the public keys, as "counterfoil audit key" prints them there; otherwise nobody can tell here who signed what is stored',
      });
    if (hasFile && usesDemo)
      problems.push({ in: file, at: 'sources', expected: 'expected real sources in production, found the demo merchant' });
    if (hasFile && !hasIssuers)
      problems.push({ in: file, at: 'identity.issuers', expected: 'expected at least one identity provider in production' });
    if (content?.signIn && content.publicUrl === undefined)
      problems.push({
        in: file,
        at: 'publicUrl',
        expected: 'expected where people sign in with a browser: the address that the identity provider sends them back to',
      });
    if (content && content.publicUrl === undefined && needsAddress(content.identity))
      problems.push({
        in: file,
        at: 'identity.dpop.addresses',
        expected: 'expected where tokens have to be bound to keys, or publicUrl: the address that proofs are made for',
      });
  }
  if (database.engine === 'sqlite' && variables.AUDIT_SEQUENCER === 'process')
    note('AUDIT_SEQUENCER', 'expected gateway with an embedded database: its file belongs to one process');
  const marks = variables.AUDIT_SEQUENCER === 'gateway';
  const audit = auditConfig(
    hasFile ? content?.audit : undefined,
    variables,
    { folder, dataFolder, production, file, database, marks },
    problems,
  );
  const signing = audit.signingKey && 'value' in audit.signingKey ? audit.signingKey.value || null : null;
  problems.push(...keyProblems(variables, { folder, production, signing }));
  if (!isReadableFile(resolve(folder, variables.POLICY_FILE)))
    note('POLICY_FILE', 'expected the path of a policy file that can be read');
  if (problems.length > 0 || content === null) throw new ConfigInvalid(problems);
  return {
    production,
    sources: content.sources,
    sync: content.sync,
    limits: content.limits,
    operations: content.operations,
    updates: content.updates,
    signals: content.signals,
    webhooks: content.webhooks,
    signIn: content.signIn ?? null,
    embeds: content.embeds,
    audit,
    namesKeptDays: content.audit.namesKeptDays,
    issuers: content.identity.issuers,
    dpop: content.identity.dpop,
    host: variables.HOST,
    port: variables.PORT,
    database,
    databasePool: variables.DATABASE_POOL,
    dataFolder,
    policyFile: resolve(folder, variables.POLICY_FILE),
    rulesFile: resolve(folder, variables.RULES_FILE),
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
    outgoing: {
      proxy: variables.HTTPS_PROXY ?? variables.https_proxy ?? null,
      except: variables.NO_PROXY ?? variables.no_proxy ?? null,
    },
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
 * whoever sequences otherwise; `marks`: so is the place of the mark. Throws `ConfigInvalid`.
 */
export const loadAuditConfig = (
  { signs, marks = false }: { readonly signs: boolean; readonly marks?: boolean },
  environment: Environment = processEnvironment(),
  folder = process.cwd(),
): AuditProcessConfig => {
  const { variables, problems: wrong } = readVariables(
    environmentSchema.pick({
      NODE_ENV: true,
      DATABASE_POOL: true,
      DATA_DIR: true,
      CONFIG_FILE: true,
      AUDIT_SIGNING_KEY: true,
      AUDIT_SIGNING_KEY_FILE: true,
      LOG_LEVEL: true,
    }),
    environment,
  );
  if (wrong.length > 0) throw new ConfigInvalid(wrong);
  const problems: ConfigProblem[] = [];
  const production = variables.NODE_ENV === 'production';
  const file = resolve(folder, variables.CONFIG_FILE);
  const dataFolder = resolve(folder, variables.DATA_DIR);
  const database = databaseOf(environment, { folder, dataFolder, production }, problems);
  const audit = auditConfig(
    auditOfFile(file, { production }, problems),
    { ...variables, AUDIT_SEQUENCER: signs ? 'gateway' : 'process' },
    { folder, dataFolder, production, file, database, marks },
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
