import type { CanonicalValue } from './canonical';

/** One fact in the detail of an event: its type, and what it is called where the log is described. */
export interface Fact<T extends CanonicalValue, IsOptional extends boolean = false> {
  readonly says: string;
  readonly isOptional: IsOptional;
  /** It is stated always, but leaves from before it was lack it. */
  readonly isLater?: true;
  /** The field of the graph whose value it tells something of, where that is shown under an assistance only. */
  readonly tells?: string;
  /** Only the type is of use. */
  readonly type?: T;
}
export type Facts = { readonly [name: string]: Fact<CanonicalValue, boolean> };

export const fact = <T extends CanonicalValue>(says: string): Fact<T> => ({ says, isOptional: false });
export const optional = <T extends CanonicalValue>(of: Fact<T>): Fact<T, true> => ({ ...of, isOptional: true });
export const later = <T extends CanonicalValue>(of: Fact<T>): Fact<T> => ({ ...of, isLater: true });
export const telling = <T extends CanonicalValue>(tells: string, of: Fact<T>): Fact<T> => ({ ...of, tells });
export const oneOf = <const T extends string>(...words: readonly T[]): Fact<T> =>
  fact(words.map((each) => `\`${each}\``).join(' or '));

/** Ours, such as `act_…`. */
export const id = fact<string>('id');
/** One of the gateway's own words: a state, a kind, a reason. */
export const word = fact<string>('word');
export const text = fact<string>('text');
export const digest = fact<string>('digest');
export const count = fact<number>('count');
export const flag = fact<boolean>('yes or no');
export const time = fact<string>('UTC time');
export const words = fact<readonly string[]>('words');
export const ids = fact<readonly string[]>('ids');
/** Who among the staff somebody was: what is judged about them later goes by that. */
export const ofStaff = fact<readonly string[]>('ids among the staff of every helpdesk');
export const staffRows = later(ofStaff);

/** A step in the life of an update; the table says *step*. */
export const step = {
  kind: word,
  from: fact<string | null>('state before, or null'),
  to: word,
  reason: optional(telling('CredentialUpdateTransition.reason', word)),
  staff: optional(later(fact<string | null>('id among the staff of the ticket’s helpdesk, or null'))),
  /** Where it waits for somebody: until when. */
  waitsUntil: optional(later(time)),
};

export interface EventKind {
  /** What the auditor reads of it, in one sentence. */
  readonly reads: string;
  /** Said where what is kept is that something was tried in vain. */
  readonly outcome?: 'DENIED';
  /** Type of what it is about; null among several where it may be about nothing of its own. */
  readonly subject?: string | readonly (string | null)[];
  /** What it states; of several, one. */
  readonly detail?: Facts | readonly Facts[];
  /** Texts whose digests are in the leaf. */
  readonly notes?: readonly string[];
  /** Of its leaf's format, where that isn't the first. */
  readonly version?: 2;
}
