import { wantsStacks } from '../config/environment';
import { ConfigInvalid } from '../config/problems';
import { DatabaseInUse } from '../db/database-in-use';
import { DatabaseUnavailable } from '../db/database-unavailable';
import { Failure } from '../failure';
import { AnchorForgot } from '../ledger/anchor';
import { LogBroken } from '../ledger/log-broken';
import { MarkUnavailable } from '../ledger/mark-unavailable';

/** Ends a command with a message for a person; nothing more is to be said about it. */
export class CommandFailed extends Error {}

const causesOf = (error: unknown): readonly unknown[] =>
  error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];

/** What a person at a terminal is told about a failure: what is wrong and, where known, what to do. No stack. */
export const describeFailure = (error: unknown): string => {
  if (error instanceof ConfigInvalid) {
    const count = error.problems.length;
    return `The configuration has ${count === 1 ? 'a problem' : `${count} problems`}:\n${error.message.replace(/^/gm, '  ')}`;
  }
  if (error instanceof Failure && !(error instanceof DatabaseUnavailable)) {
    const { remedy } = error.details;
    return remedy === undefined ? error.message : `${error.message} ${remedy}`;
  }
  if (error instanceof LogBroken) return `The audit log can't be continued (${error.finding}). ${error.message} ${error.remedy}`;
  if (error instanceof MarkUnavailable || error instanceof AnchorForgot)
    return `The audit log can't be continued (${error.code}). ${error.message} ${error.remedy}`;
  if (error instanceof CommandFailed || error instanceof DatabaseInUse) return error.message;
  return causesOf(error instanceof DatabaseUnavailable ? error.cause : error)
    .map((cause) => {
      const { code, address, port, message, schema } = cause as NodeJS.ErrnoException & {
        address?: string;
        port?: number;
        schema?: string;
      };
      if (schema !== undefined)
        return `The database isn't this version's (${schema}): start the gateway once, or run counterfoil migrate.`;
      if (code === 'ER_TABLEACCESS_DENIED_ERROR' || code === 'ER_COLUMNACCESS_DENIED_ERROR')
        return `${message}: the user in DATABASE_URL lacks this right. "counterfoil doctor --print-grants" prints what a gateway’s user needs and what the sequencer’s does; commands that read rows beside the log, such as doctor, take a gateway’s.`;
      if (code === 'ER_ACCESS_DENIED_ERROR' || code === 'ER_DBACCESS_DENIED_ERROR')
        return `${message}: DATABASE_URL has a user, password or name that this database server doesn’t know, or it lets this user in with TLS only.`;
      if (code === 'ECONNREFUSED') {
        const host = address?.includes(':') ? `[${address}]` : (address ?? 'the configured address');
        return `Nothing answers at ${host}${port ? `:${port}` : ''}.`;
      }
      return message ?? String(cause);
    })
    .join('\n');
};

/**
 * Ends with one line and 1 where nobody reads what is written (`| head`) or there is no room for it. A gateway, which has signals
 * of its own to stop by, finishes what is under way.
 */
export const endWithoutReader = (): void => {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    process.stderr.write(`Standard output can't be written to (${code ?? 'unknown'}).\n`);
    if (process.listenerCount('SIGTERM') === 0) process.exit(1);
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  });
  process.stderr.on('error', () => process.exit(1));
};

/** Says on stderr what failed and makes the process end with 1. */
export const reportFailure = (error: unknown): void => {
  process.stderr.write(`${describeFailure(error)}\n`);
  if (wantsStacks() && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exitCode = 1;
};
