import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load';
import { ConfigInvalid, type ConfigProblem } from '../../src/config/problems';

/** 32 bytes in base64, as for a key. */
export const key = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');

/** Another one, which signs. */
export const signingKey = Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64');

/** A folder of its own for each test, with a policy file in it, and ways to load what is put there. */
export const configFolder = () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'counterfoil-config-'));
    mkdirSync(join(folder, 'schema'));
    writeFileSync(join(folder, 'schema', 'exposure.yaml'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const load = (environment: Record<string, string> = {}) => loadConfig(environment, folder);
  const file = () => join(folder, 'counterfoil.yaml');
  return {
    folder: () => folder,
    file,
    load,
    loadFile: (text: string, environment: Record<string, string> = {}) => {
      writeFileSync(file(), text);
      return load(environment);
    },
  };
};

/** The problems that loading ends with, as `where: expected`; the message never holds a value of `secrets`. */
export const problemsOf = (work: () => unknown, secrets: readonly string[] = []): string[] => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    for (const secret of secrets) expect(error.message).not.toContain(secret);
    expect(error.message).not.toMatch(/canary|undefined|\[object|\bat .*:\d+:\d+/);
    return error.problems.map((problem: ConfigProblem) => `${problem.at}: ${problem.expected}`);
  }
  return [];
};

export const placesOf = (work: () => unknown, secrets: readonly string[] = []): string[] =>
  problemsOf(work, secrets).map((problem) => problem.slice(0, problem.indexOf(': ')));

export const real = `
sources:
  helpdesk:
    - { kind: rt, name: rt, url: https://rt.example.com, token: '\${RT_TOKEN}', webhookSecret: '\${RT_SECRET}' }
  payments:
    - { kind: stripe, name: stripe, apiKey: '\${STRIPE_KEY}', bareReferencesOf: rt }
identity:
  issuers:
    - issuer: https://id.example.com
      audience: counterfoil
      jwksUri: https://id.example.com/jwks
audit:
  origin: counterfoil.example.com/audit
  mark: mark
`;
export const secrets = { RT_TOKEN: 'canary-rt', RT_SECRET: 'canary-rt-secret', STRIPE_KEY: 'canary-stripe' };
export const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'mysql://counterfoil:canary-password@db.example.com:3306/counterfoil?tls=verify',
  KEY_ENCRYPTION_KEY: key,
  AUDIT_SIGNING_KEY: signingKey,
  ...secrets,
};
