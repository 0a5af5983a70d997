import { z } from 'zod';
import { exportFormats } from '../audit/export-formats';

const findings = z.int().min(0).max(1_000_000_000);

/** What may be asked of a running gateway, and nothing else: no query, no other policy, no path of a file. */
const requests = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('audit export'),
    from: z.iso.datetime().nullable(),
    to: z.iso.datetime().nullable(),
    format: z.enum(exportFormats),
    customer: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,64}$/)
      .nullable(),
    since: z.array(z.int().min(0)).max(64),
    /** Whether progress is drawn over. */
    isTerminal: z.boolean(),
  }),
  z.strictObject({ command: z.literal('sync'), isTerminal: z.boolean() }),
  z.strictObject({
    command: z.literal('doctor'),
    /** How many findings there are, by area; null where it wasn't looked at. */
    found: z.strictObject({
      log: findings,
      grants: findings,
      server: findings,
      operations: findings,
      sources: findings.nullable(),
    }),
    isTerminal: z.boolean(),
  }),
  z.strictObject({
    command: z.literal('operations register'),
    documents: z
      .array(
        z.strictObject({
          from: z.string(),
          id: z.string().nullable(),
          name: z.string().nullable(),
          type: z.string().nullable(),
          text: z.string(),
        }),
      )
      .min(1),
    isTerminal: z.boolean(),
  }),
  z.strictObject({
    command: z.literal('operations retire'),
    ids: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1),
    isTerminal: z.boolean(),
  }),
]);
export type CommandRequest = z.output<typeof requests>;
export type ExportRequest = Extract<CommandRequest, { command: 'audit export' }>;

/** Bytes of a request, its line break included: the documents of a large frontend fit. */
export const longestRequest = 4 * 1_024 * 1_024;

/** Null for anything else. */
export const readRequest = (line: string): CommandRequest | null => {
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    return null;
  }
  return requests.safeParse(content).data ?? null;
};

/**
 * What the gateway asks first: a file of this name and content beside the socket, which it then looks at. Node can't tell who is
 * at the other end of a socket; whose file it is, the system can.
 */
const challenge = z.strictObject({ name: z.string().regex(/^[0-9a-f]{32}$/), content: z.string().regex(/^[0-9a-f]{32}$/) });
export type Challenge = z.output<typeof challenge>;
export const readChallenge = (payload: Buffer): Challenge => challenge.parse(JSON.parse(payload.toString('utf8')));

/** The file that answers a challenge. */
export const proofName = ({ name }: Challenge): string => `.counterfoil-${name}`;

const outcome = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({ ok: z.literal(false), message: z.string() }),
]);
/** How a command ended: with what its summary is made of, or with what stands on stderr. */
export type Outcome = z.output<typeof outcome>;
export const readOutcome = (payload: Buffer): Outcome => outcome.parse(JSON.parse(payload.toString('utf8')));

/** What the gateway sends: each with its length before it. */
export const frameKinds = ['challenge', 'export', 'rows', 'progress', 'outcome'] as const;
export type FrameKind = (typeof frameKinds)[number];

const headLength = 5;
const longestFrame = 256 * 1_024;

/** A payload in frames of bounded length. */
export function* framesOf(kind: FrameKind, payload: Buffer): Generator<Buffer> {
  for (let start = 0; start === 0 || start < payload.length; start += longestFrame) {
    const part = payload.subarray(start, start + longestFrame);
    const head = Buffer.alloc(headLength);
    head.writeUInt8(frameKinds.indexOf(kind), 0);
    head.writeUInt32BE(part.length, 1);
    yield Buffer.concat([head, part]);
  }
}

/** Frames out of what a socket brings. Throws for what isn't one. */
export async function* readFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ kind: FrameKind; payload: Buffer }> {
  let waiting: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    while (waiting.length >= headLength) {
      const kind = frameKinds[waiting.readUInt8(0)];
      const length = waiting.readUInt32BE(1);
      if (kind === undefined || length > longestFrame) throw new Error('What answers there is no gateway.');
      if (waiting.length < headLength + length) break;
      yield { kind, payload: waiting.subarray(headLength, headLength + length) };
      waiting = waiting.subarray(headLength + length);
    }
  }
}

/** Where a command's output goes: to this process's own files and streams, or to the command beside it. */
export interface Outputs {
  /** Resolves once more may be written. */
  write(kind: 'export' | 'rows', bytes: Buffer): Promise<void>;
  readonly progress: { readonly isTTY?: boolean; write(text: string): unknown };
}
