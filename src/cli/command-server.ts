import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { App } from '../app';
import { runtimeFolder } from '../config/environment';
import { keyEncryptionOf } from '../config/key-encryption';
import { Keys } from '../features/keys/keys.service';
import { describeError } from '../log';
import {
  type Challenge,
  type CommandRequest,
  type FrameKind,
  framesOf,
  longestRequest,
  type Outcome,
  type Outputs,
  proofName,
  readRequest,
} from './command-protocol';
import { placeForSocket, SocketRefused } from './command-socket';
import { CommandFailed, describeFailure } from './report';
import { syncTo } from './sync-work';

const exporting = () => require('./audit-export') as typeof import('./audit-export');

/** Commands that run at once; each reads the log or the sources at full speed. */
const mostAtOnce = 4;
/** Milliseconds until a request must be there. */
const requestDeadline = 5_000;
/** Milliseconds until whoever takes the output must have taken some. */
const outputDeadline = 60_000;

/** The user who wrote the file that a challenge asks for; null where there is no such file. */
const writerOf = (folder: string, challenge: Challenge): number | null => {
  const path = join(folder, proofName(challenge));
  let descriptor: number | undefined;
  try {
    // A pipe would hold up whoever opens it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(descriptor);
    const content = Buffer.alloc(challenge.content.length + 1);
    const length = readSync(descriptor, content);
    // A link to somebody else's file would have another content, or two names.
    const isAnswer = found.isFile() && found.nlink === 1 && content.toString('utf8', 0, length) === challenge.content;
    return isAnswer ? found.uid : null;
  } catch {
    return null;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
};

/** One command beside the gateway: who sent it, and where its output goes, until either side ends it. */
class Connection {
  readonly ended = new AbortController();

  constructor(private readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('close', () => this.ended.abort(new CommandFailed('Whoever asked for it is gone.')));
  }

  /** Resolves once more may be sent. Rejects once the command has ended, or when nobody takes what was sent. */
  async send(kind: FrameKind, payload: Buffer): Promise<void> {
    for (const frame of framesOf(kind, payload)) {
      this.ended.signal.throwIfAborted();
      if (!this.socket.write(frame)) await this.drained();
    }
  }

  /** Sends without waiting, and only where that fills nothing up. */
  mention(text: string): void {
    if (this.ended.signal.aborted || this.socket.writableNeedDrain) return;
    for (const frame of framesOf('progress', Buffer.from(text))) this.socket.write(frame);
  }

  end(outcome: Outcome): void {
    if (this.socket.destroyed) return;
    for (const frame of framesOf('outcome', Buffer.from(JSON.stringify(outcome)))) this.socket.write(frame);
    this.socket.end();
    // Whoever doesn't take it holds up nobody.
    this.socket.setTimeout(requestDeadline, () => this.socket.destroy());
  }

  /** Rejects when the command has ended otherwise. */
  whileOpen<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.ended;
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  /** The one line that a client sends. Rejects for more, for longer and for later. */
  request(): Promise<string> {
    let text = '';
    let bytes = 0;
    return this.whileOpen(
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new CommandFailed('No request came in time.')), requestDeadline);
        this.socket.setEncoding('utf8').on('data', (part) => {
          text += part;
          bytes += Buffer.byteLength(part);
          const end = part.indexOf('\n');
          if (end < 0 && bytes < longestRequest) return;
          clearTimeout(timer);
          if (end === part.length - 1 && bytes <= longestRequest) resolve(text.slice(0, -1));
          else reject(new CommandFailed('The request is too long, or more than one.'));
        });
        this.ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      }),
    );
  }

  private drained(): Promise<void> {
    return this.whileOpen(
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new CommandFailed('Nobody took the output.'));
          this.socket.destroy();
        }, outputDeadline);
        this.ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
        this.socket.once('drain', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
    );
  }
}

const execute = async (app: App, request: CommandRequest, actor: { id: string; kind: 'system'; roles: [] }, outputs: Outputs) => {
  if (request.command === 'sync') {
    await app.database.system('recorder', 'source.sync', async (change) => change.recordFor(actor, 'source.sync', {}));
    return syncTo(app.sources, outputs);
  }
  if (request.command === 'doctor') {
    await app.services.examinations.record(actor, request.found);
    return null;
  }
  if (request.command === 'operations register') return app.operations.register(actor, request.documents);
  if (request.command === 'operations retire') return app.operations.retire(actor, request.ids);
  const { database, config } = app;
  return exporting().exportTo(
    {
      database,
      origin: config.audit.origin,
      customer: async (id) => (await Keys.open(database, keyEncryptionOf(config))).customerUnderDigest(database, id),
    },
    actor,
    request,
    outputs,
  );
};

/**
 * Takes commands beside the gateway that owns an embedded database, on a socket that its user alone (and root) may open.
 * Returns what stops that and ends the commands under way. Where the socket's place is somebody else's, it says so in the log,
 * and the gateway goes on without.
 */
export const serveCommands = async (app: App, log: Logger, folder = runtimeFolder()): Promise<() => Promise<void>> => {
  const { database } = app.config;
  const uid = process.getuid?.();
  // On a server's database commands go there themselves.
  if (database.engine !== 'sqlite' || uid === undefined) return async () => {};
  let place: ReturnType<typeof placeForSocket>;
  try {
    place = placeForSocket(database.file, folder, uid);
  } catch (error) {
    if (!(error instanceof SocketRefused)) throw error;
    log.warn({ why: error.message }, 'commands beside this gateway are not taken');
    return async () => {};
  }
  const underWay = new Map<Connection, Promise<void>>();

  const handle = async (connection: Connection): Promise<void> => {
    const challenge: Challenge = { name: randomBytes(16).toString('hex'), content: randomBytes(16).toString('hex') };
    let request: CommandRequest | null = null;
    let outcome: Outcome;
    try {
      if (underWay.size >= mostAtOnce)
        throw new CommandFailed('The gateway runs as many commands as it takes. Run this again later.');
      await connection.send('challenge', Buffer.from(JSON.stringify(challenge)));
      const line = await connection.request();
      const writer = writerOf(dirname(place.path), challenge);
      if (writer !== uid && writer !== 0) throw new CommandFailed('Who asks for this isn’t known: no proof of it was given.');
      request = readRequest(line);
      if (request === null)
        throw new CommandFailed('The gateway takes no such command. Stop it first, or use its own version of this program.');
      log.info({ command: request.command, user: writer }, 'a command beside this gateway');
      const { isTerminal } = request;
      const work = execute(
        app,
        request,
        { id: `operator:${writer}`, kind: 'system', roles: [] },
        {
          write: (kind, bytes) => connection.send(kind, bytes),
          progress: { isTTY: isTerminal, write: (text) => connection.mention(text) },
        },
      );
      outcome = { ok: true, result: await connection.whileOpen(work) };
    } catch (error) {
      if (!(error instanceof CommandFailed))
        log.warn({ command: request?.command ?? null, error: describeError(error) }, 'a command beside this gateway failed');
      outcome = { ok: false, message: describeFailure(error) };
    } finally {
      rmSync(join(dirname(place.path), proofName(challenge)), { recursive: true, force: true });
    }
    connection.end(outcome);
  };

  const server = createServer((socket) => {
    const connection = new Connection(socket);
    underWay.set(
      connection,
      handle(connection).finally(() => underWay.delete(connection)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket has its mode from the first instant: it is made within this call.
    const umask = process.umask(0o177);
    try {
      server.listen(place.path, resolve);
    } finally {
      process.umask(umask);
    }
  });
  place.announce();
  return async () => {
    server.close();
    place.remove();
    const stopping = new CommandFailed('The gateway is stopping. What was written is not whole: run this again.');
    for (const connection of underWay.keys()) connection.ended.abort(stopping);
    await Promise.all(underWay.values());
  };
};
