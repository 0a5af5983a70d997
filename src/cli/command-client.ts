import { closeSync, existsSync, fchmodSync, openSync, rmSync, writeSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseInUse } from '../db/database-in-use';
import type { DatabaseLocation } from '../db/location';
import { takeOwnership } from '../db/owner-lock';
import {
  type Challenge,
  type CommandRequest,
  type Outputs,
  proofName,
  readChallenge,
  readFrames,
  readOutcome,
} from './command-protocol';
import { findSocket, SocketRefused } from './command-socket';
import { CommandFailed } from './report';

/** Milliseconds until the gateway must have said its first word. */
const patience = 10_000;

/** Who owns an embedded database now; null where nobody does, and for a server's. */
export const ownerOf = (location: DatabaseLocation): DatabaseInUse | null => {
  if (location.engine !== 'sqlite' || !existsSync(location.file)) return null;
  try {
    takeOwnership(location.file)();
    return null;
  } catch (error) {
    if (error instanceof DatabaseInUse) return error;
    throw error;
  }
};

const takesNone = ({ file, owner }: DatabaseInUse, why = 'it is still starting, or it is another command'): CommandFailed =>
  new CommandFailed(
    `${file} is in use by ${owner}, which takes no commands: ${why}. Wait until the gateway says where it listens or the command is done, or stop it, and run this again.`,
  );

const connected = (path: string, inUse: DatabaseInUse): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      reject(
        code === 'EACCES'
          ? new CommandFailed(`${inUse.file} is in use by ${inUse.owner} of another user. Run this as that user.`)
          : takesNone(inUse),
      ),
    );
  });

/** Answers the challenge with a file of this user's; returns what takes it away again. */
const prove = (folder: string, challenge: Challenge): (() => void) => {
  const path = join(folder, proofName(challenge));
  const descriptor = openSync(path, 'wx', 0o644);
  try {
    // The gateway's user may be another than this one's, which is then root.
    fchmodSync(descriptor, 0o644);
    writeSync(descriptor, challenge.content);
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(path, { force: true });
};

/**
 * Has the gateway that owns an embedded database run a command, and returns its result. Its output goes to `outputs` as it
 * comes. Throws `CommandFailed` with what stands on the command's stderr.
 */
export const runBeside = async (inUse: DatabaseInUse, request: CommandRequest, outputs: Outputs): Promise<unknown> => {
  let path: string | null;
  try {
    path = findSocket(inUse.file);
  } catch (error) {
    if (!(error instanceof SocketRefused)) throw error;
    throw takesNone(inUse, error.message);
  }
  if (path === null) throw takesNone(inUse);
  const socket = await connected(path, inUse);
  // What the iteration below throws too.
  socket.on('error', () => {});
  socket.setTimeout(patience, () => socket.destroy(takesNone(inUse, 'it doesn’t answer')));
  let withdraw = () => {};
  try {
    for await (const { kind, payload } of readFrames(socket)) {
      if (kind === 'challenge') {
        socket.setTimeout(0);
        withdraw = prove(dirname(path), readChallenge(payload));
        socket.write(`${JSON.stringify(request)}\n`);
      } else if (kind === 'outcome') {
        const outcome = readOutcome(payload);
        if (!outcome.ok) throw new CommandFailed(outcome.message);
        return outcome.result;
      } else if (kind === 'progress') outputs.progress.write(payload.toString('utf8'));
      else await outputs.write(kind, payload);
    }
  } catch (error) {
    // Those of the connection are said below.
    if (!['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    withdraw();
    socket.destroy();
  }
  throw new CommandFailed('The gateway ended before the command was done. What was written is not whole: run it again.');
};
