import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ProgrammingError } from '../../../failure';
import type { NamedTransaction } from '../payments.port';
import { reference } from './stripe.shapes';

const mention = z
  .union([reference, z.object({ id: reference }).transform(({ id }) => id)])
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);

const about = z.object({ id: mention, customer: mention, charge: mention, payment_intent: mention });
const nothing = { id: null, customer: null, charge: null, payment_intent: null };

/** Who an event is about, and nothing of what it says: the state is always fetched. */
export const eventSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/),
  type: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/),
  /** Seconds; version 2 events write the instant in ISO 8601. */
  created: z.union([
    z.number().int().min(0).max(8_640_000_000_000),
    z.iso.datetime({ offset: true }).transform((at) => Math.floor(Date.parse(at) / 1_000)),
  ]),
  livemode: z.boolean().nullish().catch(null),
  /** A connected account's event: its references are not of our account. */
  account: z
    .unknown()
    .optional()
    .transform((account) => account !== undefined && account !== null),
  data: z
    .object({
      object: about.catch(nothing),
      previous_attributes: z.object({ customer: mention }).nullish().catch(null),
    })
    .catch({ object: nothing, previous_attributes: null }),
});
export type StripeEvent = z.infer<typeof eventSchema>;

/** Payment customers that an event is about, and charges, payments and warnings whose customer has to be asked for (a dispute names only its charge). */
export interface Concern {
  readonly customers: readonly string[];
  readonly charges: readonly string[];
  /** PaymentIntents, where no charge is named. */
  readonly intents: readonly string[];
  /** Early fraud warnings. */
  readonly warnings: readonly string[];
}

type Naming = (event: StripeEvent) => readonly (string | null | undefined)[];

const itself: Naming = ({ data }) => [data.object.id];
const itsCustomer: Naming = ({ data }) => [data.object.customer, data.previous_attributes?.customer];
const itsCharge: Naming = ({ data }) => [data.object.charge];
/** A review of a payment that was only authorized may name no charge. */
const itsIntent: Naming = ({ data }) => [data.object.charge === null ? data.object.payment_intent : null];
/** A charge is shown as its payment, or as an attempt of its own. */
const itsPayment: Naming = ({ data }) => [data.object.id, data.object.payment_intent];

/** By event type; a `*` stands for the rest of the name. Types that change nothing of the read model are absent. */
const concerns: readonly {
  readonly type: RegExp;
  readonly customers?: Naming;
  readonly charges?: Naming;
  readonly intents?: Naming;
  readonly warnings?: Naming;
  readonly transactions?: Naming;
}[] = [
  { type: /^customer\.(created|updated|deleted)$/, customers: itself },
  { type: /^customer\.source\.(created|updated|deleted)$/, customers: itsCustomer },
  { type: /^payment_method\.[a-z_]+$/, customers: itsCustomer },
  { type: /^payment_intent\.[a-z_]+$/, customers: itsCustomer, transactions: itself },
  { type: /^setup_intent\.(succeeded|setup_failed)$/, customers: itsCustomer },
  { type: /^checkout\.session\.(completed|expired)$/, customers: itsCustomer },
  {
    type: /^charge\.(captured|expired|failed|pending|refunded|succeeded|updated)$/,
    customers: itsCustomer,
    transactions: itsPayment,
  },
  { type: /^charge\.dispute\.[a-z_]+$/, charges: itsCharge },
  { type: /^(charge\.refund\.updated|refund\.(created|updated|failed))$/, charges: itsCharge },
  { type: /^radar\.early_fraud_warning\.(created|updated)$/, charges: itsCharge, warnings: itself },
  { type: /^review\.(opened|closed)$/, charges: itsCharge, intents: itsIntent },
];

export const isUnderstood = (type: string): boolean => concerns.some((each) => each.type.test(type));

const named = (event: StripeEvent, naming: Naming | undefined): readonly string[] => [
  ...new Set(naming?.(event).filter((each) => typeof each === 'string') ?? []),
];

/** Null when the event's type changes nothing that is kept, or when it isn't about this account. */
export const concernOf = (event: StripeEvent): Concern | null => {
  const found = event.account ? undefined : concerns.find(({ type }) => type.test(event.type));
  if (found === undefined) return null;
  const { customers, charges, intents, warnings } = found;
  return {
    customers: named(event, customers),
    charges: named(event, charges),
    intents: named(event, intents),
    warnings: named(event, warnings),
  };
};

/** Payments and attempts that an event of this account is about, where it says whose they are. */
export const transactionsOf = (event: StripeEvent): readonly NamedTransaction[] => {
  const { customer } = event.data.object;
  const found = event.account || customer === null ? undefined : concerns.find(({ type }) => type.test(event.type));
  return customer === null ? [] : named(event, found?.transactions).map((reference) => ({ customer, reference }));
};

/** Seconds that are read again before the last event known: events of one second become visible in no certain order. */
export const overlap = 10;

/** Events remembered by a cursor as already reported; where a process has forgotten the others, they are reported again, which is harmless. */
const remembered = 20;
/** Events that a process remembers beside a cursor, a few megabytes at most. */
const rememberedBeside = 20_000;

/**
 * Where reading the list of events stands. The list runs from the newest event back, so a run has three marks: it stops
 * at `floor` (the newest event of the run before), it stands after `after`, and `top` is the next run's floor.
 * `seen`: digests of the newest events reported.
 */
export interface EventPosition {
  readonly floor: number;
  readonly seen: readonly string[];
  /** Null between runs. */
  readonly run: { readonly top: number; readonly after: string } | null;
}

/** Stands for an event's id in a cursor: 48 bits are enough to tell a few events apart. */
export const eventDigest = (id: string): string => createHash('sha256').update(id).digest('base64url').slice(0, 8);

/** The events that a next run would list again. `events` newest first. */
export const recentOf = (events: readonly StripeEvent[], top: number): string[] =>
  events.filter(({ created }) => created >= top - overlap).map(({ id }) => eventDigest(id));

/**
 * What this process knows beside the newest cursor: all events of the overlap that were reported, where the cursor has room for
 * a few. Without it a second in which many things happened would be reported at each poll until something newer happens.
 */
export class ReportedEvents {
  private cursor: string | null = null;
  private digests: ReadonlySet<string> = new Set();

  /** Only for a cursor up to which everything was taken: what is remembered is never reported again. */
  remember(cursor: string, digests: readonly string[]): void {
    this.cursor = cursor;
    this.digests = new Set(digests.slice(0, rememberedBeside));
  }

  upTo(cursor: string): ReadonlySet<string> {
    return cursor === this.cursor ? this.digests : new Set();
  }
}

export const writeCursor = ({ floor, seen, run }: EventPosition): string =>
  ['1', floor, run?.top ?? '', run?.after ?? '', seen.slice(0, remembered).join('')].join('~');

const written = /^1~(\d{1,13})~(\d{0,13})~([A-Za-z0-9_-]{0,255})~((?:[A-Za-z0-9_-]{8}){0,20})$/;

/** Throws when the text isn't what `writeCursor` wrote: cursors come from our own tables only. */
export const readCursor = (cursor: string): EventPosition => {
  const [, floor, top, after, seen] = written.exec(cursor) ?? [];
  if (floor === undefined || (top === '') !== (after === '')) throw new ProgrammingError('not a cursor of the Stripe connector');
  return {
    floor: Number(floor),
    seen: seen?.match(/.{8}/g) ?? [],
    run: top && after ? { top: Number(top), after } : null,
  };
};
