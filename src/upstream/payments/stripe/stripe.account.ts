import type Stripe from 'stripe';
import { z } from 'zod';
import { SourceUnavailable } from '../../source-unavailable';
import type { KnownObjects } from '../payments.port';
import type { StripeCalls } from './stripe.calls';
import type { InPath } from './stripe.faults';
import { reference as referenceSchema } from './stripe.shapes';

/** An object that is in the account that we read, as far as we know. */
export interface Witness {
  readonly kind: Extract<InPath, 'customer' | 'payment_intent' | 'charge' | 'payment_method'>;
  readonly id: string;
}

const retrieve: Readonly<Record<Witness['kind'], (stripe: Stripe, id: string) => Promise<unknown>>> = {
  customer: (stripe, id) => stripe.customers.retrieve(id),
  payment_intent: (stripe, id) => stripe.paymentIntents.retrieve(id),
  charge: (stripe, id) => stripe.charges.retrieve(id),
  payment_method: (stripe, id) => stripe.paymentMethods.retrieve(id),
};

/** Known objects that are asked for before nothing is believed: several may be gone, as far as test data goes. */
const mostWitnesses = 8;

/**
 * Whether the key is one of the account that was read before. A key of another account answers to every question that there is no
 * such object; Stripe says so with the words in which it tells of one that is really gone.
 */
export class StripeAccount {
  private isConfirmed = false;

  constructor(
    private readonly source: string,
    /** What this source showed before; without it every key is taken for the right one. */
    private readonly known?: () => Promise<KnownObjects>,
  ) {}

  /** Once per process, where anything is known of the account. Throws `SourceUnavailable`, `unauthorized` where none of it is there. */
  async confirm(calls: StripeCalls): Promise<void> {
    if (this.isConfirmed) return;
    const witnesses = await this.witnesses();
    if (witnesses !== null && witnesses.length > 0 && !(await answers(calls, witnesses))) this.refuse();
    this.isConfirmed = true;
  }

  /**
   * Before an object counts as gone: something else that is known must answer. `near` are asked first. Throws
   * `SourceUnavailable`, `unauthorized` where nothing does.
   */
  async expectSeen(calls: StripeCalls, missing: string | null, near: readonly Witness[] = []): Promise<void> {
    const isOther = ({ id }: Witness) => id !== missing && referenceSchema.safeParse(id).success;
    if (await answers(calls, near.filter(isOther))) return;
    const witnesses = await this.witnesses();
    if (witnesses === null || (await answers(calls, witnesses.filter(isOther)))) return;
    this.refuse();
  }

  /** Null where nobody tells what is known. */
  private async witnesses(): Promise<readonly Witness[] | null> {
    if (this.known === undefined) return null;
    const { customers, transactions } = await this.known();
    return [
      ...customers.map((id): Witness => ({ kind: 'customer', id })),
      ...transactions.map((id): Witness => ({ kind: id.startsWith('pi_') ? 'payment_intent' : 'charge', id })),
    ];
  }

  /** What was said to this key was for another account or mode: the next `confirm` asks again. */
  doubt(): void {
    this.isConfirmed = false;
  }

  private refuse(): never {
    this.doubt();
    throw new SourceUnavailable(this.source, 'unauthorized', 404);
  }
}

const answers = async (calls: StripeCalls, witnesses: readonly Witness[]): Promise<boolean> => {
  for (const { kind, id } of witnesses.slice(0, mostWitnesses)) {
    // A customer that was deleted still answers, and says so.
    if ((await calls.askMaybe(kind, (stripe) => retrieve[kind](stripe, id), z.object({ id: z.literal(id) }))) !== null)
      return true;
  }
  return false;
};
