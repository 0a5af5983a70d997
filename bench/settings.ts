import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppOptions } from '../src/app';
import { type Config, loadConfig } from '../src/config/load';
import { BenchHelpdesk, BenchMerchant, BenchPayments, helpdeskSource, paymentsSource } from './merchant';

/** What a contender is started with. */
export interface Settings {
  readonly databaseUrl: string;
  readonly folder: string;
  readonly customers: number;
  /** Each agent's; fifty where it isn't given. */
  readonly ticketsPerAgent?: number;
  /** UTC milliseconds: the day of the merchant. */
  readonly anchor: number;
}

/** Connections to the database, for both contenders. */
export const poolSize = 16;
export const issuerName = 'https://bench.counterfoil.invalid';
export const audience = 'counterfoil';
/** What differs from the policy that ships, because a bench asks for more in a minute than a person does in a week. */
export const raisedQuota = 100_000;
const requestsPerMinute = 1_000_000;

export const merchantOf = ({ customers, anchor, ticketsPerAgent }: Settings): BenchMerchant =>
  new BenchMerchant({ customers, anchor: new Date(anchor), ticketsPerAgent });

export const connectorsOf = (merchant: BenchMerchant): NonNullable<AppOptions['connectors']> => ({
  [helpdeskSource]: new BenchHelpdesk(merchant),
  [paymentsSource]: new BenchPayments(merchant),
});

/** Writes the files that `configOf` reads: the shipped policy with the quota raised, and the issuer of the bench's tokens. */
export const writeSettings = ({ folder }: Settings, jwksUri: string): void => {
  mkdirSync(folder, { recursive: true });
  const shipped = readFileSync('schema/exposure.yaml', 'utf8');
  const policy = shipped.replace(/(customersPerHour:) *\d+/, `$1 ${raisedQuota}`);
  if (policy === shipped) throw new Error('schema/exposure.yaml has no customersPerHour to raise');
  writeFileSync(join(folder, 'exposure.yaml'), policy);
  const file = {
    sources: {
      helpdesk: [{ kind: 'demo', name: helpdeskSource }],
      payments: [{ kind: 'demo', name: paymentsSource, helpdesk: helpdeskSource }],
    },
    identity: { issuers: [{ issuer: issuerName, audience, algorithms: ['ES256'], jwksUri }] },
  };
  // YAML 1.2 contains JSON.
  writeFileSync(join(folder, 'counterfoil.yaml'), JSON.stringify(file, null, 2));
};

/** A gateway as it is configured in production, except that the demo sources and an issuer on this machine are allowed. */
export const configOf = ({ folder, databaseUrl }: Settings): Config =>
  loadConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: String(poolSize),
    DATA_DIR: folder,
    CONFIG_FILE: join(folder, 'counterfoil.yaml'),
    POLICY_FILE: join(folder, 'exposure.yaml'),
    RATE_LIMIT: String(requestsPerMinute),
    DEVELOPMENT_ISSUER: 'false',
  });
