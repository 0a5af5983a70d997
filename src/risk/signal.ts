import { z } from 'zod';

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
  /** An account was opened again for whoever says that they are its owner. */
  'account.recovery',
  /** A card, an address or a contact was changed; `change` says which. */
  'credential.changed',
  'session.revoked',
  /** A member of staff was shown something of a customer. */
  'staff.disclosure',
  'staff.reply',
  'staff.note',
  /** A member of staff asked for a change of payment details, or placed a hold. */
  'staff.update',
  'staff.hold',
  /** A member of staff's session was used; `device` is its device claim or key, `ip` the network it came from. */
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
] as const;
export type SubjectName = (typeof subjectNames)[number];
export type Subjects = { readonly [name in SubjectName]?: string | undefined };

export const credentialChanges = ['card', 'billing-address', 'shipping-address', 'contact'] as const;

const subject = z.string().min(1).max(256);
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const facts = z.object({
  /** ISO 3166-1 alpha-2, upper case: where it happened from. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  /** Integer minor units of an ISO 4217 currency. */
  amount: z.object({ minorUnits: z.int(), currency: z.string().regex(/^[A-Z]{3}$/) }).optional(),
  declineCode: z.string().max(128).optional(),
  /** The provider's advice about a decline, such as `do_not_try_again`. */
  advice: z.string().max(128).optional(),
  /** Since when the merchant has this customer. */
  customerSince: instant.optional(),
  /** What came of it: of a payment `fraud`, `refunded`, `declined` or `fine`, where it is known by now. No rule reads it of a payment. */
  outcome: z.string().max(64).optional(),
  /** What was changed; a card where it isn't said. */
  change: z.enum(credentialChanges).optional(),
  /** Until when something can be done. */
  deadline: instant.optional(),
});
export type SignalFacts = z.output<typeof facts>;

/**
 * One signal as a sender words it, a line of NDJSON. `(source, id)` is unique: the same again is the same signal. Subjects and facts
 * that aren't known are dropped; a type that isn't known is kept as it is and read by no rule.
 */
export const signalSchema = z.object({
  source: z.string().min(1).max(64),
  id: z.string().min(1).max(255),
  type: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z-]*(?:\.[a-z][a-z-]*)+$/),
  /** RFC 3339, with its offset. */
  occurredAt: instant,
  subjects: z.object(
    Object.fromEntries(subjectNames.map((name) => [name, subject.optional()])) as Record<
      SubjectName,
      z.ZodOptional<typeof subject>
    >,
  ),
  facts: facts.prefault({}),
});

export type Signal = z.output<typeof signalSchema>;

/** How one signal is named where others refer to it: `source/id`. */
export const signalName = ({ source, id }: Pick<Signal, 'source' | 'id'>): string => `${source}/${id}`;
