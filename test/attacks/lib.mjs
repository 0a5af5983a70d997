// What the attacks share: a built gateway with data of its own, its people, and how an attack ends. Everything on loopback.
//
//   node test/attacks/NN-name.mjs       against this checkout, which has to be built (npm run build)
//   RED_MAIN=CHECKOUT PORT=4303 node …  against another built one, on a port that is given
//
// Ends with 0 where the gateway holds, with 1 while the weakness exists, with 2 where it couldn't tell.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

export { sleep };

/** Thrown where an attack can't be made, or what it shows can't be told: the gateway may hold or not. */
class CannotTell extends Error {}

/** Root of the built checkout that is attacked. */
export const checkout = resolve(process.env.RED_MAIN ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..'));
const inCheckout = createRequire(join(checkout, 'package.json'));

const listening = (server) =>
  new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => done(server.address().port));
  });

const freePort = async () => {
  const server = createServer();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
};

export const port = Number(process.env.PORT ?? (await freePort()));
export const url = `http://127.0.0.1:${port}`;
/** Of this attack alone; gone when it ends. */
export const folder = mkdtempSync(join(tmpdir(), 'counterfoil-attack-'));

const ends = [];
/** Runs when the attack ends, however it does; the last that was named comes first. */
export const atEnd = (end) => ends.push(end);

const leave = async (code) => {
  for (const end of ends.reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
};

const cannotTell = (error) => {
  console.log(`CANNOT TELL: ${error instanceof CannotTell ? error.message : (error?.stack ?? error)}`);
  return leave(2);
};
process.on('unhandledRejection', cannotTell);

/** Goes on only where the ordinary way works; otherwise nothing that follows would mean anything. `seen` is said with it. */
export const expectOrdinary = (works, what, seen) => {
  if (!works) throw new CannotTell(`${what}${seen === undefined ? '' : `: ${JSON.stringify(seen)?.slice(0, 2_000)}`}`);
  console.log(`as it should be: ${what}`);
};

/** Makes the attack and ends the process. `make` returns what was gained by it, or null where nothing was. */
export const attack = async (make) => {
  let gained;
  try {
    gained = await make();
  } catch (error) {
    await cannotTell(error);
  }
  console.log(gained === null ? 'HOLDS' : `WEAK: ${gained}`);
  await leave(gained === null ? 0 : 1);
};

/** A module of the built checkout, by its path under `src`. */
export const built = async (path) => {
  const file = join(checkout, 'dist', 'src', path);
  if (!existsSync(file)) throw new CannotTell(`${file} isn’t there`);
  const loaded = await import(pathToFileURL(file).href);
  return loaded.default ?? loaded;
};

const written = (name, text) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

/** The demo merchant's sources, as a part of `counterfoil.yaml`. */
export const demoSources = `sources:
  helpdesk: [{ kind: demo, name: demo }]
  payments: [{ kind: demo, name: demo-pay, helpdesk: demo }]
`;

/** A gateway as a process of its own, with a small demo merchant. `config` is the text of its `counterfoil.yaml`. */
export const start = async ({ env = {}, config, data = join(folder, 'data') } = {}) => {
  const environment = {
    ...process.env,
    NODE_ENV: '',
    PORT: String(port),
    DATA_DIR: data,
    DEMO_SIZE: '0.1',
    LOG_LEVEL: 'warn',
    ...env,
    ...(config === undefined ? {} : { CONFIG_FILE: written('counterfoil.yaml', config) }),
  };
  const child = spawn(process.execPath, [join(checkout, 'dist/src/main.js')], {
    cwd: checkout,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += text;
    });
  const exited = new Promise((done) => child.on('exit', done));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    if (hasEnded()) return;
    child.kill('SIGTERM');
    await Promise.race([exited, sleep(8_000)]);
    if (!hasEnded()) child.kill('SIGKILL');
    await exited;
  };
  atEnd(stop);
  for (let tries = 0; tries < 300; tries += 1) {
    if (hasEnded()) throw new CannotTell(`the gateway ended at once:\n${said}`);
    const isUp = await fetch(`${url}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    );
    // `howItEnded` is null while it runs.
    if (isUp) return { stop, data, environment, log: () => said, hasEnded, howItEnded: () => child.signalCode ?? child.exitCode };
    await sleep(200);
  }
  throw new CannotTell(`the gateway never listened:\n${said}`);
};

/** A gateway in this process, for attacks that change what a source says. */
export const startHere = async () => {
  inCheckout('reflect-metadata');
  process.chdir(checkout);
  const [{ loadConfig }, { runGateway }, { createLog }] = [
    await built('config/load.js'),
    await built('http/run.js'),
    await built('log.js'),
  ];
  const config = loadConfig(
    {
      PORT: String(port),
      DATA_DIR: join(folder, 'data'),
      DEMO_SIZE: '0.1',
      CONFIG_FILE: written('counterfoil.yaml', demoSources),
      LOG_LEVEL: 'silent',
    },
    checkout,
  );
  const gateway = await runGateway(config, createLog('silent'));
  atEnd(() => gateway.server.close());
  return gateway;
};

/** A token of the development issuer. */
export const token = async (user, { mfa = true } = {}) => {
  const answer = await fetch(`${url}/development/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, mfa }),
  });
  return (await answer.json()).token;
};

/** Sends an operation; returns the HTTP response, unread. */
export const send = (bearer, query, variables = {}, options = {}) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ query, variables }),
    ...options,
  });

/** The GraphQL answer to an operation. */
export const ask = async (bearer, query, variables) => (await send(bearer, query, variables)).json();

/** A ticket of the demo helpdesk with what is selected of it, and the errors that came along. */
export const ticket = async (bearer, reference, selection) => {
  const { data, errors = [] } = await ask(
    bearer,
    `query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { ${selection} } }`,
    { reference },
  );
  return { ticket: data?.ticketByReference ?? null, errors };
};

/** `counterfoil …` to its end, with its code and all that it said. */
export const counterfoil = (args, environment) =>
  new Promise((done) => {
    const child = spawn(process.execPath, [join(checkout, 'dist/src/cli/counterfoil.js'), ...args], {
      cwd: checkout,
      env: environment,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        said += text;
      });
    child.on('exit', (code) => done({ code, said }));
  });

/** The gateway's SQLite database, for whoever has its file. */
export const openSqlite = (data, options = {}) => new (inCheckout('better-sqlite3'))(join(data, 'counterfoil.sqlite'), options);

/** An identity provider: serves its key set and signs whatever it is told. `yaml` is a `counterfoil.yaml` that trusts it. */
export const identityProvider = async (issuer = 'https://idp.example.com') => {
  const { generateKeyPair, exportJWK, SignJWT } = await import(pathToFileURL(inCheckout.resolve('jose')).href);
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
  const server = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }));
  });
  const keysAt = await listening(server);
  atEnd(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  const yaml = `${demoSources}identity:
  issuers:
    - { issuer: '${issuer}', jwksUri: 'http://127.0.0.1:${keysAt}/jwks', audience: counterfoil, algorithms: [ES256] }
`;
  const sign = (subject, claims) => {
    const now = Math.floor(Date.now() / 1_000);
    const all = { roles: ['AGENT'], teams: [], amr: ['pwd', 'mfa'], auth_time: now, preferred_username: subject, ...claims };
    return new SignJWT(all)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
      .setIssuer(issuer)
      .setAudience('counterfoil')
      .setSubject(subject)
      .setIssuedAt(now)
      .setExpirationTime(now + 900)
      .sign(privateKey);
  };
  return { yaml, sign };
};

/** Milliseconds for which nobody else is answered while a request is under way, as the median of three, and the last answer. */
export const silenceDuring = async (request) => {
  const silences = [];
  let answer;
  for (let run = 0; run < 3; run += 1) {
    let longest = 0;
    let isUnderWay = true;
    const watch = (async () => {
      while (isUnderWay) {
        const asked = performance.now();
        await fetch(`${url}/healthz`);
        longest = Math.max(longest, performance.now() - asked);
        await sleep(5);
      }
    })();
    await sleep(200);
    longest = 0;
    answer = await request(run);
    await sleep(50);
    isUnderWay = false;
    await watch;
    silences.push(Math.round(longest));
  }
  return { milliseconds: silences.sort((a, b) => a - b)[1], answer };
};
