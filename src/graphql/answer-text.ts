import type { Work } from './work';

type Data = Readonly<Record<string, unknown>>;

/** The text of each answer's data, from where it is made to where it is sent. */
const texts = new WeakMap<object, string>();

/** Nodes that are written before somebody else may be heard. */
const nodesAtOnce = 256;

/** A list or an object that is being written. */
interface Open {
  readonly items: readonly unknown[];
  /** Of an object; null of a list. */
  readonly keys: readonly string[] | null;
  next: number;
}

/** What JSON.stringify would look into: not what says itself what it is, as an instant does. */
const opened = (value: unknown): Open | null => {
  if (typeof value !== 'object' || value === null || typeof (value as { toJSON?: unknown }).toJSON === 'function') return null;
  if (Array.isArray(value)) return { items: value, keys: null, next: 0 };
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return { items: entries.map(([, each]) => each), keys: entries.map(([key]) => key), next: 0 };
};

/** JSON, piece by piece. Throws `RATE_LIMITED` once it is longer than `most` bytes. */
const write = async (data: Data, work: Work, most: number): Promise<string> => {
  const pieces: string[] = [];
  let bytes = 0;
  let nodes = 0;
  const add = (piece: string): void => {
    bytes += Buffer.byteLength(piece);
    if (bytes > most) throw work.pastAnswer();
    pieces.push(piece);
  };
  const stack: Open[] = [];
  const begin = (value: unknown): void => {
    const inner = opened(value);
    add(inner === null ? (JSON.stringify(value) ?? 'null') : inner.keys ? '{' : '[');
    if (inner !== null) stack.push(inner);
  };
  begin(data);
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    nodes += 1;
    if (nodes % nodesAtOnce === 0 && work.mustWait) {
      await work.turn();
      if (work.over !== null) throw work.over;
    }
    if (top.next === top.items.length) {
      add(top.keys ? '}' : ']');
      stack.pop();
      continue;
    }
    if (top.next > 0) add(',');
    const key = top.keys?.[top.next];
    if (key !== undefined) add(`${JSON.stringify(key)}:`);
    top.next += 1;
    begin(top.items[top.next - 1]);
  }
  return pieces.join('');
};

/**
 * Makes the text of an answer's data, before it is recorded that the data was shown: a small one at once, a large one in
 * pieces, others being heard in between. Throws `RATE_LIMITED` for one of more than `most` bytes.
 */
export const writeAnswer = async (data: Data, work: Work, most: number): Promise<void> => {
  if (work.isLarge) {
    texts.set(data, await write(data, work, most));
    return;
  }
  const text = JSON.stringify(data);
  // A character takes three bytes at most.
  if (text.length * 3 > most && Buffer.byteLength(text) > most) throw work.pastAnswer();
  texts.set(data, text);
};

/** A whole answer as it is sent. Its data was written before; what has none is small. */
export const answerText = (answer: { readonly data?: unknown }): string => {
  const { data } = answer;
  const text = typeof data === 'object' && data !== null ? texts.get(data) : undefined;
  if (text === undefined) return `${JSON.stringify(answer)}\n`;
  const members = Object.entries(answer).flatMap(([name, value]) => {
    const written = name === 'data' ? text : JSON.stringify(value);
    return written === undefined ? [] : [`${JSON.stringify(name)}:${written}`];
  });
  return `{${members.join(',')}}\n`;
};
