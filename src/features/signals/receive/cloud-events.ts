import { z } from 'zod';
import { Failure } from '../../../failure';
import { type Signal, signalSchema } from '../../../risk/signal';
import { usualSignal } from '../../../risk/usual-signal';

/** Signals of one request at most. */
export const mostSignals = 1_000;
/** By how many milliseconds a signal may be ahead of our clock. */
const longestAhead = 300_000;

/** What a helpdesk knows of its staff, and the gateway may not. */
const ofHelpdesks: readonly string[] = ['staff.note', 'staff.reply'];
/** What staff do the gateway sees itself: who says it of them could be anybody. */
const isOurs = (type: string): boolean => (type.startsWith('staff.') && !ofHelpdesks.includes(type)) || type === 'ticket.concern';

/** Media types of CloudEvents 1.0 in JSON: one event, and several. */
export const cloudEvent = 'application/cloudevents+json';
export const cloudEventBatch = 'application/cloudevents-batch+json';
const lines = 'application/x-ndjson';

/** The attributes of CloudEvents 1.0 that mean something here; `data` is one signal, or a text with one on each line. */
const eventSchema = z.object({
  specversion: z.literal('1.0', 'expected CloudEvents 1.0'),
  id: z.string().min(1).max(255),
  type: z.string().min(1).max(255),
  time: z.string().optional(),
  datacontenttype: z.string().optional(),
  data: z.union([z.record(z.string(), z.unknown()), z.string()], 'expected a signal, or a text with one on each line'),
});
type CloudEvent = z.output<typeof eventSchema>;

const objectOf = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw Failure.invalid(where, 'expected JSON');
  }
};

/** What zod has to say of the first thing that is wrong, by where it stands: never with a word of what was sent. */
const parsed = <Output>(schema: z.ZodType<Output>, value: unknown, where: string): Output => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.filter((part) => typeof part === 'number' || /^[A-Za-z]{1,32}$/.test(String(part))).join('.');
  const isOurs = issue?.message.startsWith('expected');
  throw Failure.invalid(
    path ? `${where}.${path}` : where,
    isOurs ? (issue?.message ?? '') : 'expected what docs/signals.md says',
  );
};

/** What the event tells of, as it stands in it: an event with several signals names each. */
const dataOf = ({ data, datacontenttype = '', id, type, time }: CloudEvent, where: string): readonly unknown[] => {
  if (typeof data === 'string') {
    if (datacontenttype !== lines) throw Failure.invalid(`${where}.datacontenttype`, `expected ${lines} for a text`);
    const texts = data.split('\n').filter((line) => line.trim() !== '');
    return texts.slice(0, mostSignals + 1).map((line, index) => objectOf(line, `${where}.data.${index}`));
  }
  return [{ id, type, ...(time === undefined ? {} : { occurredAt: time }), ...data }];
};

/**
 * The signals of a request's body in the words of its sender. Throws `INVALID`, which says where and what is accepted: then none of them
 * is taken.
 */
export const signalsIn = (body: Buffer, mediaType: string, source: string, now: Date): readonly Signal[] => {
  const content = objectOf(body.toString('utf8'), 'body');
  const isBatch = mediaType === cloudEventBatch;
  const most = `expected at most ${mostSignals} signals in one request`;
  const events = isBatch
    ? parsed(z.array(z.unknown(), 'expected a list of events').max(mostSignals, most), content, 'body')
    : [content];
  const signals: Signal[] = [];
  events.forEach((each, index) => {
    const where = isBatch ? `body.${index}` : 'body';
    const data = dataOf(parsed(eventSchema, each, where), where);
    for (const value of data) {
      if (signals.length === mostSignals) throw Failure.invalid('body', most);
      const signal =
        usualSignal(value, source) ?? parsed<Signal>(signalSchema, { source, ...(value as object) }, `${where}.data`);
      if (isOurs(signal.type))
        throw Failure.invalid(
          `${where}.data.type`,
          'expected a type that docs/signals.md lists: what staff are shown, report and change, the gateway sees itself',
        );
      if (signal.source !== source) throw Failure.invalid(`${where}.data.source`, 'expected the name that you send to, or none');
      if (signal.occurredAt.getTime() > now.getTime() + longestAhead)
        throw Failure.invalid(`${where}.data.occurredAt`, 'expected an instant that is not in the future');
      signals.push(signal);
    }
  });
  return signals;
};
