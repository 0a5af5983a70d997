import { z } from 'zod';
import { containsCardNumber } from '../privacy/redaction';
import { keptCode } from './decline-codes';

/**
 * What can be told of by a signal, named by what happened. `payment.*` comes from providers and pipelines, `ticket.*` from helpdesks,
 * `account.*` and `session.*` from identity providers, `credential.changed` and `staff.*` mostly from the gateway itself.
 */
export const signalTypes = [
  /** An attempt to pay that the issuer, the provider or a rule refused. */
  'payment.attempt.declined',
  'payment.attempt.succeeded',
  /** The provider wants somebody to look at a payment; `deadline` until when. */
  'payment.review',
  /** The card network fears fraud (early fraud warning). */
  'payment.warning',
  'payment.dispute',
  /** Authorized and not captured; `deadline` is when it ends. */
  'payment.authorization',
  /** A card that is the default or pays a subscription ends; `deadline` is its last instant. */
  'card.expiring',
  /** The customer wrote or called: the ticket is open from then on. */
  'ticket.contact',
  'ticket.closed',
  /** What a customer states of a payment, held against theirs; `outcome` is `matched`, `unmatched` or `contradicted`. */
  'ticket.claim',
  /** Whoever has the ticket reported that something is wrong with the account. */
  'ticket.concern',
  /** An account was opened again for whoever says that they are its owner. */
  'account.recovery',
  /** A card, an address or a contact was changed; `change` says which. */
  'credential.changed',
  'session.revoked',
  /** A member of staff was shown something of a customer. */
  'staff.disclosure',
  'staff.reply',
  'staff.note',
  /** A member of staff asked for a change of payment details. */
  'staff.update',
  /** A member of staff placed or proposed a hold, or released one. */
  'staff.hold',
  /** A member of staff had a customer asked whether a payment is theirs. */
  'staff.question',
  /** A member of staff's session was used; `device` is what its tokens say of the device, `key` the key that they are bound to, `ip` the network it came from. */
  'staff.session',
] as const;
export type SignalType = (typeof signalTypes)[number];

/** Who or what a signal is about. In a sender's signal each is as the sender names it; stored, each is a keyed digest or an id of ours. */
export const subjectNames = [
  'customer',
  'card',
  'device',
  'ip',
  'emailDomain',
  'order',
  'payment',
  'ticket',
  'staff',
  'team',
  'session',
  'key',
] as const;
export type SubjectName = (typeof subjectNames)[number];
export type Subjects = { readonly [name in SubjectName]?: string | undefined };

/** What a customer can state of a payment, in a claim. */
export const claimedTraits = ['amount', 'date', 'order', 'card'] as const;
export type ClaimedTrait = (typeof claimedTraits)[number];

export const credentialChanges = ['card', 'billing-address', 'shipping-address', 'contact'] as const;

/** What came of a payment, and of a claim. */
export const outcomes = ['fraud', 'refunded', 'declined', 'fine', 'matched', 'unmatched', 'contradicted'] as const;

const subjectError = 'expected the name of a subject, a text of 1 to 256 characters';
/** Halves of different characters would be one subject. */
const isWhole = (text: string): boolean => !/\p{Cs}/u.test(text);
const subject = z.string({ error: subjectError }).min(1, subjectError).max(256, subjectError).refine(isWhole, subjectError);

const instantError = 'expected an instant with its offset such as 2026-09-01T09:30:00Z (RFC 3339)';
export const instant = z.iso.datetime({ offset: true, error: instantError }).transform((text) => new Date(text));
export const dayOrInstant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: `${instantError}, or a day` })
  .transform((text) => new Date(text));

/** Every text that is kept as its sender words it is one of these. `named`: those that are words of ours, in which nobody looks for a card number. */
const kept = (most: number, error: string, named: readonly string[] = []) => {
  const ours = new Set(named);
  return z
    .string({ error })
    .max(most, { error: `expected at most ${most} characters`, abort: true })
    .refine((text) => ours.has(text) || !containsCardNumber(text), 'expected no card number');
};

/** More is somebody's birth date, telephone or card. */
const mostDigits = 5;
const hasFewDigits = `(?![^0-9]*(?:[0-9][^0-9]*){${mostDigits + 1}})`;

/**
 * What came of an attempt in a provider's or a network's words: codes such as `05` and `N7` (ISO 8583, field 39), `20051`, and up to six
 * words such as `insufficient_funds`. Never a text that somebody wrote: of what has the form of a code, and is none that is known, it is kept that there
 * was another one.
 */
const code = (example: string) => {
  const error = `expected a code such as ${example}: up to six words joined by _ or -, with at most ${mostDigits} digits, in 48 characters`;
  return kept(48, error)
    .regex(new RegExp(`^${hasFewDigits}[A-Za-z0-9]{1,24}(?:[_-][A-Za-z0-9]{1,24}){0,5}$`), error)
    .transform(keptCode);
};

export const declineCode = code('insufficient_funds');
export const advice = code('do_not_try_again');

const typeError = 'expected a type such as payment.attempt.declined';
const typeForm = new RegExp(`^${hasFewDigits}[A-Za-z][A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+)*$`);

const teamError = 'expected the name of a team, a text of 1 to 256 characters that can be seen';
const team = kept(256, teamError).regex(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}]+$/u, teamError);

type Known<Values> = { [Name in keyof Values]: Exclude<Values[Name], null> };
/** What a sender doesn't know may be null or left out: it isn't there. Once for all of them, as each signal that is sent is read by this. */
const known = <Values extends object>(values: Values): Known<Values> => {
  for (const name in values) if (values[name] === null || values[name] === undefined) delete values[name];
  return values as Known<Values>;
};
const whole = 'expected a whole number of minor units';
const iso4217 = 'expected an ISO 4217 currency in upper case such as EUR';
const iso3166 = 'expected an ISO 3166-1 country in upper case such as DE';

const facts = z
  .object({
    /** ISO 3166-1 alpha-2, upper case: where it happened from. */
    country: z
      .string({ error: iso3166 })
      .regex(/^[A-Z]{2}$/, iso3166)
      .nullish(),
    /** Integer minor units of an ISO 4217 currency. */
    amount: z
      .object(
        { minorUnits: z.int({ error: whole }), currency: z.string({ error: iso4217 }).regex(/^[A-Z]{3}$/, iso4217) },
        { error: 'expected an amount such as {"minorUnits":1999,"currency":"EUR"}' },
      )
      .nullish(),
    /** As its sender words it where it is known (`decline-codes`), else `other`. */
    declineCode: declineCode.nullish(),
    /** The provider's advice about a decline, such as `do_not_try_again`. */
    advice: advice.nullish(),
    /** Since when the merchant has this customer. */
    customerSince: dayOrInstant.nullish(),
    /** What came of it, where it is known by now. No rule reads it of a payment. */
    outcome: z.enum(outcomes, { error: `expected one of ${outcomes.join(', ')}` }).nullish(),
    /** What was changed; where it isn't said, it may be any of them. */
    change: z.enum(credentialChanges, { error: `expected one of ${credentialChanges.join(', ')}` }).nullish(),
    /** Until when something can be done. */
    deadline: instant.nullish(),
  })
  .transform(known);
type Facts = z.output<typeof facts>;
export type SignalFacts = { readonly [name in keyof Facts]?: Facts[name] };

/**
 * One signal as a sender words it, a line of NDJSON. `(source, id)` is unique: the same again is the same signal. Subjects and facts
 * that aren't known are dropped; a type that isn't known is kept as it is and read by no rule.
 */
export const signalSchema = z.object({
  source: z
    .string({ error: 'expected the name of the source' })
    .min(1, 'expected the name of the source')
    .max(64, 'expected at most 64 characters'),
  id: kept(255, 'expected an id that is unique within the source')
    .min(1, 'expected an id that is unique within the source')
    // One byte each, wherever they stand; equal ones are equal on every engine.
    .regex(/^[\x21-\x7e]*$/, 'expected printable ASCII without blanks'),
  type: kept(64, typeError, signalTypes).regex(typeForm, typeError),
  /** RFC 3339, with its offset. */
  occurredAt: instant,
  subjects: z
    .object(
      Object.fromEntries(subjectNames.map((name) => [name, (name === 'team' ? team : subject).nullish()])) as Record<
        SubjectName,
        z.ZodOptional<z.ZodNullable<typeof subject>>
      >,
      { error: 'expected subjects such as {"customer":"c-1","card":"fp-9"}' },
    )
    .transform(known)
    .prefault({}),
  facts: facts.prefault({}),
});

export type Signal = Omit<z.output<typeof signalSchema>, 'subjects' | 'facts'> & {
  readonly subjects: Subjects;
  readonly facts: SignalFacts;
  /** Told so late that its sender may have thought it up: it excuses nobody and is no part of anybody's past. Never a sender's word. */
  readonly isBackdated?: boolean;
};

/** How many hours after it occurred a signal of a sender still makes somebody's past, unless the sender's section says otherwise. */
export const usualLateHours = 6;

/** What a change was of, where it is told or the signal names what was changed. */
export const changed = ({ subjects, facts: { change } }: Pick<Signal, 'subjects' | 'facts'>): SignalFacts['change'] =>
  change ?? (subjects.card !== undefined ? 'card' : subjects.order !== undefined ? 'shipping-address' : undefined);

/** Signals that may speak for somebody. */
export const trustworthy = (signals: readonly Signal[]): readonly Signal[] => signals.filter(({ isBackdated }) => !isBackdated);

/** How one signal is named where others refer to it: `source/id`. */
export const signalName = ({ source, id }: Pick<Signal, 'source' | 'id'>): string => `${source}/${id}`;
