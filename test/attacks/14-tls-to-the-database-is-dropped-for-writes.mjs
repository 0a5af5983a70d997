// An address that asks for TLS: each side of the database must ask for it before it says who it is, and production must not
// take a database on another machine without it.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { atEnd, attack, built, checkout, expectOrdinary, folder } from './lib.mjs';

createRequire(join(checkout, 'package.json'))('reflect-metadata');

/** Of the first packet that a client sends: it goes on in TLS. */
const sslFlag = 0x800;

/** A server's first packet: its version, and that it can do TLS. */
const greeting = () => {
  const body = Buffer.concat([
    Buffer.from([10]),
    Buffer.from('10.11.0-MariaDB\0'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from('12345678\0'),
    Buffer.from([0xff, 0xff, 33, 2, 0, 0xff, 0xc1, 21]),
    Buffer.alloc(10),
    Buffer.from('123456789012\0'),
    Buffer.from('mysql_native_password\0'),
  ]);
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]);
};

/** A server that notes how each client answers its greeting. */
const listener = async () => {
  const heard = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(greeting());
    socket.once('data', (packet) => {
      const isInClear = packet.includes('counterfoil_user');
      heard.push(isInClear ? 'in clear' : packet.readUInt32LE(4) & sslFlag ? 'TLS' : 'something else');
      socket.destroy();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  atEnd(() => server.close());
  return { heard, port: server.address().port };
};

const productionFile = `sources:
  helpdesk: [{ kind: rt, name: rt, url: 'https://rt.example.com', token: '\${T}' }]
  payments: [{ kind: stripe, name: stripe, apiKey: '\${T}' }]
identity: { issuers: [{ issuer: 'https://i.example.com', jwksUri: 'https://i.example.com/jwks', audience: counterfoil }] }
audit: { origin: x.example.com/audit }
`;

await attack(async () => {
  const { heard, port } = await listener();
  const { parseDatabaseUrl } = await built('db/location.js');
  const { openDataSource } = await built('db/data-source.js');
  const { PreparedReads } = await built('db/prepared-reads.js');
  /** How each side begins at an address. */
  const beginnings = async (parameters) => {
    const location = parseDatabaseUrl(`mysql://counterfoil_user:secret@127.0.0.1:${port}/shop${parameters}`);
    await openDataSource(location, { entities: [], migrations: [] }, 'write').catch(() => {});
    const write = heard.at(-1);
    await new PreparedReads(location, 1).query('SELECT 1', [], 5_000).catch(() => {});
    return { write, read: heard.at(-1) };
  };
  const inClear = await beginnings('');
  expectOrdinary(
    inClear.write === 'in clear' && inClear.read === 'in clear',
    'without a parameter both sign in in clear',
    inClear,
  );
  const asked = await beginnings('?tls=verify');

  const { loadConfig } = await built('config/load.js');
  const { ConfigInvalid } = await built('config/problems.js');
  const file = join(folder, 'production.yaml');
  writeFileSync(file, productionFile);
  const key = () => randomBytes(32).toString('base64');
  const problems = (url) => {
    try {
      loadConfig(
        {
          NODE_ENV: 'production',
          CONFIG_FILE: file,
          T: 'x',
          KEY_ENCRYPTION_KEY: key(),
          AUDIT_SIGNING_KEY: key(),
          DATABASE_URL: url,
        },
        checkout,
      );
      return [];
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error;
      return error.problems.map(({ at }) => at);
    }
  };
  const withTls = problems('mysql://u:p@db.example.com/shop?tls=verify');
  expectOrdinary(!withTls.includes('DATABASE_URL'), 'production takes a database on another machine with TLS', withTls);
  const isRefused = problems('mysql://u:p@db.example.com/shop').includes('DATABASE_URL');
  console.log(
    `TLS asked for: writes ${asked.write}, reads ${asked.read}; production without it: ${isRefused ? 'refused' : 'taken'}`,
  );
  const weak = [
    ...(asked.write === 'TLS' ? [] : [`writes sign in ${asked.write} although TLS was asked for`]),
    ...(asked.read === 'TLS' ? [] : [`reads sign in ${asked.read} although TLS was asked for`]),
    ...(isRefused ? [] : ['production takes a database on another machine without TLS']),
  ];
  return weak.length > 0 ? weak.join('; ') : null;
});
