import pino, { type DestinationStream, type Logger } from 'pino';

/** Why something that was asked can't be used just now, where an error says so: its `fault`, a code. */
const faultOf = (error: unknown): string | null => {
  const { fault } = (error ?? {}) as { fault?: unknown };
  return typeof fault === 'string' ? fault : null;
};

/** Logs what a request failed of: an outage of the database with its code, everything else as what it is. */
export const reportFault = (log: Pick<Logger, 'warn' | 'error'>, requestId: string, error: unknown): void => {
  const fault = faultOf(error);
  if (fault !== null) {
    log.warn({ requestId, fault }, 'the database can’t be used');
    return;
  }
  // A failure is what the caller was told; what was the matter is its cause.
  const cause = error instanceof Error && error.name === 'Failure' ? error.cause : undefined;
  log.error({ requestId, error: describeError(cause ?? error) }, 'a request failed');
};

/**
 * Name, code and stack of an error, and what the stored schema lacks where that is it; never its message, which may repeat
 * what was sent or stored.
 */
export const describeError = (error: unknown) => {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack = '' } = error;
  // A driver's message may repeat a row over several lines, and one of those may look like a place in the code.
  const places = stack.slice(stack.includes(message) ? stack.indexOf(message) + message.length : 0);
  const { code, schema } = error as { code?: unknown; schema?: unknown };
  const said = faultOf(error) ?? code;
  return {
    name,
    ...(typeof said === 'string' ? { code: said } : {}),
    ...(typeof schema === 'string' ? { schema } : {}),
    at: places
      .split('\n')
      .filter((line) => /^ +at .*:\d+:\d+\)?$/.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
  };
};

/** Lines of JSON without personal or payment value. Production's go to stdout; `destination` takes them elsewhere. */
export const createLog = (level: string, destination: DestinationStream = pino.destination(1)): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { req: () => undefined, res: () => undefined, err: describeError },
    },
    destination,
  );
