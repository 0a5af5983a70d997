import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ProgrammingError } from '../../../failure';
import { SourceUnavailable } from '../../source-unavailable';
import { type HoldList, type HoldStep, holdLists, type StepOutcome } from '../payments.port';
import type { StripeAccount } from './stripe.account';
import type { StripeCalls } from './stripe.calls';
import { holdRefusalOf } from './stripe.refusals';
import type { StripeSection } from './stripe.section';
import { instant, orNull, pageOf, reference as referenceSchema, word } from './stripe.shapes';

export type RadarLists = NonNullable<StripeSection['radarLists']>;
export type ListStep = Extract<HoldStep, { action: 'LIST' | 'UNLIST' }>;

export interface StripeRadarOptions {
  readonly source: string;
  readonly calls: StripeCalls;
  readonly clock: () => Date;
  readonly account: StripeAccount;
  readonly lists: RadarLists | null;
}

/** Items that Stripe finds alike to a value, of which only equal ones count. */
const mostAlike = 1_000;

/**
 * Milliseconds after a mark within which the item that it announces is made; a mark is fresh for half of them, so that clocks
 * may differ by as much.
 */
const madeWithin = 10 * 60 * 1_000;

const names = { BLOCK: 'block', REVIEW: 'review', STEP_UP: 'stepUp' } as const satisfies Record<HoldList, keyof RadarLists>;

/** The types of lists that can hold a thing; `string` is Stripe's for what is unknown or mixed. */
const itemTypes = { CUSTOMER: 'customer_id', CARD: 'card_fingerprint', EMAIL: 'email' } as const;
const anyTypes: ReadonlySet<string> = new Set(['string', 'case_sensitive_string']);

const listSchema = z.object({ id: referenceSchema, alias: z.string(), item_type: word });
const itemSchema = z.object({
  id: referenceSchema,
  created: instant,
  created_by: orNull(z.string().max(5_000)),
  value: z.string(),
  value_list: referenceSchema,
});
type Item = z.infer<typeof itemSchema>;

/** A card's own fingerprint at Stripe: for the list, and for nothing else. */
const fingerprintSchema = z.object({
  id: referenceSchema,
  card: orNull(z.object({ fingerprint: orNull(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)) })),
});

/** What stands in the lists about one value. */
interface Looked {
  readonly list: string;
  /** As the list has it. */
  readonly value: string;
  readonly items: readonly Item[];
}

/** A list of the configuration that holds nothing. */
export interface UnusableList {
  readonly alias: string;
  /** `missing`: there is none of that name. `type`: it holds other things than it is named for. */
  readonly why: 'missing' | 'type';
}

const done = { outcome: 'done' } as const;
const refusedHere = { outcome: 'refused', why: 'REFUSED' } as const;
const lostHere = { outcome: 'lost', keySpent: false } as const;

/**
 * Items of Radar's value lists, by which a merchant's own rules block, review or authenticate future payments. Needs *write*
 * on Radar's lists, and *read* on Payment Methods for a card.
 *
 * An item keeps no metadata, so who added it is written beside it: before an item is made, a mark of the list and the value's
 * digest is put into a list of our own (`radarLists.added`), which no rule names. An item is ours where it was made within
 * ten minutes after its mark and under the same name (`created_by`); whatever stood there before has no mark or an earlier
 * date, and whatever is put there after ours was removed has a later one. Where that doesn't tell one item, none is removed.
 * A mark is of all holds alike: whose process ended before the item was made keeps no other waiting for it.
 */
export class StripeRadar {
  readonly lists: ReadonlySet<HoldList>;

  constructor(private readonly options: StripeRadarOptions) {
    this.lists = new Set(holdLists.filter((list) => options.lists?.[names[list]] !== undefined));
  }

  async perform(step: ListStep, idempotencyKey: string): Promise<StepOutcome> {
    const looked = await this.look(step);
    if (looked === null) return step.action === 'UNLIST' ? done : refusedHere;
    return step.action === 'LIST' ? this.add(looked, idempotencyKey) : this.remove(looked, idempotencyKey);
  }

  async holds(step: ListStep): Promise<boolean> {
    const looked = await this.look(step);
    if (looked === null) return step.action === 'UNLIST';
    if (step.action === 'LIST') return looked.items.length > 0;
    return looked.items.length === 0 || oursOf(looked.items, await this.marksOf(looked)).length === 0;
  }

  /** Lists of the configuration into which nothing can be put. Throws `SourceUnavailable`. */
  async unusable(): Promise<readonly UnusableList[]> {
    const { lists } = this.options;
    const types = Object.values(itemTypes);
    const named = holdLists.flatMap((list): (readonly [alias: string, types: readonly string[]])[] => {
      const of = lists?.[names[list]];
      if (of === undefined) return [];
      if (typeof of === 'string') return [[of, types]];
      const each = [
        [of.customer, itemTypes.CUSTOMER],
        [of.card, itemTypes.CARD],
        [of.email, itemTypes.EMAIL],
      ] as const;
      return each.flatMap(([alias, type]) => (alias === undefined ? [] : [[alias, [type]] as const]));
    });
    const found: UnusableList[] = [];
    for (const [alias, fitting] of named) {
      const list = await this.listCalled(alias);
      if (list === null) found.push({ alias, why: 'missing' });
      else if (!fitting.includes(list.item_type) && !anyTypes.has(list.item_type)) found.push({ alias, why: 'type' });
    }
    // The list of marks is made where it is missing.
    const marks = lists === null ? null : await this.listCalled(lists.added);
    return marks !== null && !anyTypes.has(marks.item_type) ? [...found, { alias: marks.alias, why: 'type' }] : found;
  }

  private async add(looked: Looked, key: string): Promise<StepOutcome> {
    if (looked.items.length > 0) return done;
    const marks = await this.markList(key);
    if (typeof marks !== 'string') return marks;
    const marked = await this.put(marks, markOf(looked), `${key}~mark`);
    if (marked.outcome === 'refused') {
      // Another hold has announced the same, or this one before its process ended: while that is fresh, what is made now is announced by it.
      const others = await this.marksOf(looked);
      if (others.some((mark) => this.isFresh(mark))) return this.addAnnounced(looked, key);
      return (await this.drop(others, key)) && others.length > 0 ? { outcome: 'lost', keySpent: true } : marked;
    }
    if (marked.outcome !== 'done') return marked;
    if (!this.isFresh(marked.answer)) {
      // The key was answered from memory: what it announced wasn't made in time, and must be announced anew.
      await this.drop([marked.answer], key);
      return { outcome: 'lost', keySpent: true };
    }
    const made = await this.put(looked.list, looked.value, key);
    if (made.outcome === 'refused') {
      const now = await this.itemsOf(looked.list, looked.value);
      // Somebody was faster: unless it was another hold, by this mark, it isn't ours.
      if (oursOf(now, [marked.answer]).length === 0) await this.drop([marked.answer], key);
      return now.length > 0 ? done : made;
    }
    return made.outcome === 'done' ? done : made;
  }

  /**
   * Makes an item that a mark of another has announced: it is ours by that mark, whoever of us is faster. Where the mark was taken away meanwhile it
   * would be nobody's, and goes again.
   */
  private async addAnnounced(looked: Looked, key: string): Promise<StepOutcome> {
    const made = await this.put(looked.list, looked.value, key);
    try {
      if (made.outcome === 'refused') return (await this.itemsOf(looked.list, looked.value)).length > 0 ? done : made;
      if (made.outcome !== 'done') return made;
      if (oursOf([made.answer], await this.marksOf(looked)).length > 0) return done;
      return { outcome: 'lost', keySpent: (await this.del(made.answer, key)) === 'done' };
    } catch (error) {
      // It was sent: who looks next sees whether it is there.
      if (error instanceof SourceUnavailable) return lostHere;
      throw error;
    }
  }

  private async remove(looked: Looked, key: string): Promise<StepOutcome> {
    const marks = await this.marksOf(looked);
    const ours = oursOf(looked.items, marks);
    if (ours.length > 1) return refusedHere;
    const [item] = ours;
    if (item) {
      const write = await this.del(item, key);
      if (write !== 'done') return write;
    }
    // Whatever is put there from now on has a later date than these allow.
    await this.drop(marks, key);
    return done;
  }

  /** The list and what stands in it; null where there is no such list, it can't hold that, or there is no such thing. */
  private async look({ list, of, value }: ListStep): Promise<Looked | null> {
    const alias = this.aliasOf(list, of);
    if (alias === null) return null;
    const found = await this.listCalled(alias);
    if (found === null) {
      await this.options.account.expectSeen(this.options.calls, null);
      return null;
    }
    if (found.item_type !== itemTypes[of] && !anyTypes.has(found.item_type)) return null;
    const held = await this.valueOf(of, value);
    return held === null ? null : { list: found.id, value: held, items: await this.itemsOf(found.id, held) };
  }

  private aliasOf(list: HoldList, of: ListStep['of']): string | null {
    const named = this.options.lists?.[names[list]];
    if (named === undefined || typeof named === 'string') return named ?? null;
    return { CUSTOMER: named.customer, CARD: named.card, EMAIL: named.email }[of] ?? null;
  }

  private async valueOf(of: ListStep['of'], value: string): Promise<string | null> {
    if (of === 'EMAIL') return value.length > 0 && value.length <= 800 ? value.toLowerCase() : null;
    if (!referenceSchema.safeParse(value).success) return null;
    if (of === 'CUSTOMER') return value;
    const { calls, account } = this.options;
    const method = await calls.askMaybe('payment_method', (stripe) => stripe.paymentMethods.retrieve(value), fingerprintSchema);
    if (method === null) await account.expectSeen(calls, value);
    return method?.card?.fingerprint ?? null;
  }

  private async listCalled(alias: string) {
    const page = await this.options.calls.ask((stripe) => stripe.radar.valueLists.list({ alias, limit: 10 }), pageOf(listSchema));
    return page.data.find((each) => each.alias === alias) ?? null;
  }

  /** Equal items; Stripe's own comparison is "is like". */
  private async itemsOf(list: string, value: string): Promise<readonly Item[]> {
    const { calls, source } = this.options;
    const alike = await calls.pages('nothing', itemSchema, mostAlike + 1, (stripe, page) =>
      stripe.radar.valueListItems.list({ value_list: list, value, ...page }),
    );
    if (alike === null || alike.length > mostAlike) throw new SourceUnavailable(source, 'malformed');
    const isEqual = (each: Item) => each.value_list === list && each.value.toLowerCase() === value.toLowerCase();
    return alike.filter(isEqual);
  }

  private async marksOf(looked: Looked): Promise<readonly Item[]> {
    const list = await this.listCalled(this.added);
    return list === null ? [] : this.itemsOf(list.id, markOf(looked));
  }

  /** The list of marks, made where it is missing. */
  private async markList(key: string): Promise<string | StepOutcome> {
    const found = await this.listCalled(this.added);
    if (found !== null) return anyTypes.has(found.item_type) ? found.id : refusedHere;
    const write = await this.options.calls.write(
      (stripe, options) =>
        stripe.radar.valueLists.create(
          { alias: this.added, name: 'Added by Counterfoil', item_type: 'case_sensitive_string' },
          options,
        ),
      `${key}~marks`,
      listSchema,
    );
    if (write.outcome === 'done') return write.answer.id;
    if (write.outcome === 'refused') {
      // Perhaps another made it at this moment.
      const now = await this.listCalled(this.added);
      return now?.id ?? { outcome: 'refused', why: holdRefusalOf(write.refusal) };
    }
    return { outcome: 'lost', keySpent: write.outcome === 'mismatch' || write.keySpent };
  }

  private async put(list: string, value: string, key: string) {
    const write = await this.options.calls.write(
      (stripe, options) => stripe.radar.valueListItems.create({ value_list: list, value }, options),
      key,
      itemSchema.refine((each) => each.value_list === list),
    );
    if (write.outcome === 'done') return write;
    if (write.outcome === 'refused') return { outcome: 'refused', why: holdRefusalOf(write.refusal) } as const;
    return { outcome: 'lost', keySpent: write.outcome === 'mismatch' || write.keySpent } as const;
  }

  /** Stripe keeps no answers for deletions: an item that isn't there any more was deleted. */
  private async del({ id }: Item, key: string): Promise<'done' | Exclude<StepOutcome, { outcome: 'done' }>> {
    const write = await this.options.calls.write(
      (stripe, options) => stripe.radar.valueListItems.del(id, {}, options),
      `${key}~${id}`,
      z.object({ id: z.literal(id), deleted: z.literal(true) }),
    );
    if (write.outcome === 'done') return 'done';
    if (write.outcome !== 'refused') return lostHere;
    return write.refusal.code === 'resource_missing' ? 'done' : { outcome: 'refused', why: holdRefusalOf(write.refusal) };
  }

  /** Marks that stay where this fails say nothing of an item that is made later. */
  private async drop(marks: readonly Item[], key: string): Promise<boolean> {
    try {
      for (const mark of marks) if ((await this.del(mark, key)) !== 'done') return false;
      return true;
    } catch (error) {
      if (error instanceof SourceUnavailable) return false;
      throw error;
    }
  }

  private isFresh({ created }: Item): boolean {
    return this.options.clock().getTime() - created.getTime() < madeWithin / 2;
  }

  private get added(): string {
    const { lists } = this.options;
    if (lists === null) throw new ProgrammingError('no lists are configured');
    return lists.added;
  }
}

/** No value that a mark stands for can be read out of it by whoever sees the list. */
const markOf = ({ list, value }: Looked): string =>
  `${list}/${createHash('sha256').update(value).digest('base64url').slice(0, 32)}`;

/** The items that a mark announced. */
const oursOf = (items: readonly Item[], marks: readonly Item[]): readonly Item[] =>
  items.filter((item) =>
    marks.some((mark) => {
      const after = item.created.getTime() - mark.created.getTime();
      return after >= 0 && after <= madeWithin && item.created_by === mark.created_by;
    }),
  );
