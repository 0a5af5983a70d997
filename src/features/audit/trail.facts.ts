import type { Leaf } from '../../audit/leaf';

/** Of what a leaf states, what a trail shows: words, counts and ids, each of a form that holds neither text nor place. */

const word = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
/** `source/id` of a signal, or an id of ours. */
const name = /^[\x21-\x7e]{1,320}$/;
const ofOurs = /^(?:evt|alr|hld|sup|rcg|dcs|cru|inv|brk|asn|ast|clm|tkt)_[0-9A-Z]{26}$/;

export const textIn = (value: unknown): string | null => (typeof value === 'string' && word.test(value) ? value : null);
export const numberIn = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
const stringsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
export const textsIn = (value: unknown): readonly string[] => stringsIn(value).filter((each) => word.test(each));

/** Fewest of others that are told of at all, and all that is told of more. */
const fewestOthers = 5;
export const manyOthers = (count: number): string | null => (count >= fewestOthers ? `${fewestOthers} or more` : null);

const counted = (stated: string): readonly string[] => {
  const [found, what = '', count = ''] = /^([A-Za-z_-]+) (\d+)/.exec(stated) ?? [];
  if (found === undefined) return [];
  if (what.toLowerCase() !== 'customers') return [found];
  const many = manyOthers(Number(count));
  return many === null ? [] : [`${what} ${many}`];
};

/** `attempts 4`: of a verdict's counts, of an alert's facts, of a brake's signals. */
export const countsIn = ({ counts, reasons, count, signals }: Leaf['detail']): readonly string[] => {
  const stated = [...stringsIn(counts), ...stringsIn(reasons)].flatMap(counted);
  const total = Array.isArray(signals) ? numberIn(count) : null;
  return total === null ? stated : [...stated, `signals ${total}`];
};

/** The signals that an event names, as `source/id`. */
export const signalsIn = ({ signals, restsOn }: Leaf['detail']): readonly string[] =>
  [...stringsIn(signals), ...stringsIn(restsOn)].filter((each) => each.includes('/') && name.test(each));

/** The ids of ours that an event names: what it rests on, and what it is tied to by a fact of its own. */
export const idsIn = ({ restsOn, alert, hold, demand, of, update }: Leaf['detail']): readonly string[] =>
  [...stringsIn(restsOn), ...stringsIn([alert, hold, demand, of, update])].filter((each) => ofOurs.test(each));

/** What the gateway itself tells of is called by what it was done under: `counterfoil/ast_…:shown:1`. */
export const sourceOfSignal = (signal: string): string | null => {
  const id = signal.slice(signal.indexOf('/') + 1).split(':')[0] ?? '';
  return signal.startsWith('counterfoil/') && ofOurs.test(id) ? id : null;
};
