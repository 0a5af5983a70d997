import pino, { type DestinationStream, type Logger } from 'pino';

/** Name, code and stack of an error; never its message, which may repeat what was sent or stored. */
export const describeError = (error: unknown) => {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack = '' } = error;
  // A driver's message may repeat a row over several lines, and one of those may look like a place in the code.
  const places = stack.slice(stack.includes(message) ? stack.indexOf(message) + message.length : 0);
  const code = (error as { code?: unknown }).code;
  return {
    name,
    ...(typeof code === 'string' ? { code } : {}),
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
