import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Config } from '../../src/config/load';
import { paymentsSource } from '../merchant';
import { configOf, type Settings } from '../settings';

export const accounts = {
  name: 'accounts',
  issuer: 'https://accounts.counterfoil.invalid',
  audience: 'https://gateway.counterfoil.invalid',
} as const;
const keysFile = ({ folder }: Settings): string => join(folder, 'accounts.json');
const rulesFile = ({ folder }: Settings): string => join(folder, 'rules.yaml');

/** Writes the rules with that about recoveries in force, a budget that is never spent, and where the keys of `accounts` are. */
export const writeCountedSettings = (settings: Settings, jwksUri: string): void => {
  writeFileSync(keysFile(settings), JSON.stringify(jwksUri));
  const shipped = readFileSync('schema/rules.yaml', 'utf8');
  const rules = shipped.replace(/(recovery-then-payment:\n {4}mode:) \w+/, '$1 ON');
  if (rules === shipped) throw new Error('schema/rules.yaml has no rule about recoveries to turn on');
  writeFileSync(rulesFile(settings), rules);
  const file = join(settings.folder, 'exposure.yaml');
  const policy = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    policy.replace(/(perSubjectPerHour:) *\d+/, '$1 100000').replace(/(subjectsPerMinute:) *\d+/, '$1 10000000'),
  );
};

export const countedConfigOf = (settings: Settings): Config => {
  const jwksUri = JSON.parse(readFileSync(keysFile(settings), 'utf8')) as string;
  const { name, issuer, audience } = accounts;
  return {
    ...configOf(settings),
    rulesFile: rulesFile(settings),
    trustedProxies: ['127.0.0.1/32'],
    signals: { sources: [{ name, secrets: [], tokens: { issuer, audience, jwksUri }, payments: paymentsSource, lateHours: 6 }] },
  };
};

/** Who keeps the customers' accounts, and pushes what happens to them. */
export const openAccounts = async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'accounts', alg: 'ES256', use: 'sig' }];
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let made = 0;
  const token = (event: string, customer: string): Promise<string> => {
    made += 1;
    const now = Math.floor(Date.now() / 1_000);
    const subject = { format: 'iss_sub', iss: accounts.issuer, sub: customer };
    return new SignJWT({ events: { [`https://schemas.openid.net/secevent/risc/event-type/${event}`]: { subject } } })
      .setProtectedHeader({ alg: 'ES256', typ: 'secevent+jwt', kid: 'accounts' })
      .setIssuer(accounts.issuer)
      .setAudience(accounts.audience)
      .setIssuedAt(now)
      .setJti(`set-${process.pid}-${made}`)
      .sign(privateKey);
  };
  const { port } = server.address() as AddressInfo;
  return { jwksUri: `http://127.0.0.1:${port}/keys`, token, close: () => void server.close() };
};
