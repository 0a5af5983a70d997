import { type LinkAssurance, type LiveAssistance, linkAssurances } from '../authz/actor';
import type { Searched } from '../authz/policy/marks';
import type { MaskTools } from '../authz/policy/mask';
import { applyVerdict, permissiveness, type Verdict, type Verdicts, verdictText } from '../authz/policy/verdict';
import { Failure } from '../failure';
import { holdsNoContact } from '../privacy/contacts-in-text';
import { withContainedMasked } from './contained-values';
import type { Narrowing } from './narrowing';
import type { Shown } from './shown';
import { noWork, type Work } from './work';

/** What is shown in one request, gathered where fields leave: verdicts and how often, and the objects they belong to. */
export interface Showing {
  readonly fields: readonly {
    readonly field: string;
    /** Under which it was decided. */
    readonly link: LinkAssurance;
    readonly verdict: string;
    readonly count: number;
  }[];
  readonly parents: ReadonlySet<Shown>;
}

interface Tally {
  readonly field: string;
  readonly verdict: Verdict;
  count: number;
}

/** The way out of one policed value for a class of access: its verdict under each link, and where it is counted. */
export interface Exit {
  readonly coordinate: string;
  readonly searched: Searched;
  readonly under: Readonly<Record<LinkAssurance, { readonly verdict: Verdict; readonly slot: number }>>;
}

/** `index` tells exits of one operation apart. */
export const exitOf = (coordinate: string, verdicts: Verdicts, searched: Searched, index: number): Exit => {
  const [VERIFIED, MATCHED, NONE] = linkAssurances.map((each, at) => ({
    verdict: verdicts[each],
    slot: index * linkAssurances.length + at,
  })) as [Exit['under']['NONE'], Exit['under']['NONE'], Exit['under']['NONE']];
  return { coordinate, searched, under: { VERIFIED, MATCHED, NONE } };
};

/**
 * The access of one request: verdicts by field, the live assistances, and what was shown so far. Relation rules read
 * it, fields leave through it.
 */
export class RequestAccess {
  private readonly tallies: Readonly<Record<LinkAssurance, Map<Verdict, Map<string, Tally>>>> = {
    VERIFIED: new Map(),
    MATCHED: new Map(),
    NONE: new Map(),
  };
  /** Of exits, by slot: those of `tallies`. */
  private readonly slots: (Tally | undefined)[] = [];
  private readonly parents = new Set<Shown>();
  private last: Shown | undefined;
  private live: readonly LiveAssistance[] = [];
  /** The first of `live` that covers a customer; made when it is asked for. */
  private byCustomer: Map<string, LiveAssistance> | null = null;
  private hasAll = false;

  constructor(
    private readonly verdicts: ReadonlyMap<string, Verdicts>,
    private readonly tools: MaskTools,
    /** What the operation has caused so far. */
    readonly work: Work = noWork(),
    /** What the operation selects, as `Type.field`; null where nobody knows. */
    readonly fields: ReadonlySet<string> | null = null,
  ) {}

  /** The verdict under which the field's value, once it is read, leaves by `leave`; null where it is left out. Throws `DENIED` where the parent's link forbids what the plan had to leave open. */
  admit(coordinate: string, parent: Shown): Verdict | null {
    const verdict = this.verdicts.get(coordinate)?.[parent.linkAssurance];
    // A field without a verdict was never named to anybody, and of an operation that is over nothing is shown.
    if (!verdict || this.work.over !== null) return null;
    this.tally(parent.linkAssurance, coordinate, verdict);
    return this.isShown(verdict, coordinate, parent) ? verdict : null;
  }

  /** The value as its verdict has it; of a text also what it holds of other fields and is `searched` for, as theirs have it. */
  leave(verdict: Verdict, coordinate: string, parent: Shown, clear: unknown, searched: Searched = 'NOTHING'): unknown {
    if (clear instanceof Promise) return this.leaveLater(verdict, coordinate, parent, clear, searched);
    const own = applyVerdict(verdict, coordinate, clear, this.tools);
    if (searched === 'NOTHING' || verdict.kind !== 'reveal' || (typeof own === 'string' && holdsNoContact(own)))
      return this.counted(own);
    return this.counted(this.withContained(coordinate, verdict, parent, { value: own, searched }));
  }

  /** Both for a value that is read from its object, by an exit that was looked up before. */
  leaveBy({ coordinate, searched, under }: Exit, parent: Shown, name: string): unknown {
    if (this.work.over !== null) return null;
    const found = under[parent.linkAssurance] as Exit['under'][LinkAssurance] | undefined;
    if (!found) return null;
    const { verdict, slot } = found;
    const known = this.slots[slot];
    if (known === undefined) this.slots[slot] = this.tally(parent.linkAssurance, coordinate, verdict);
    else known.count += 1;
    if (!this.isShown(verdict, coordinate, parent)) return null;
    return this.leave(verdict, coordinate, parent, (parent as unknown as Record<string, unknown>)[name], searched);
  }

  /** Notes whose value is shown. False where it is left out; throws `DENIED`. */
  private isShown(verdict: Verdict, coordinate: string, parent: Shown): boolean {
    if (verdict.kind === 'deny') throw Failure.denied(verdict.reason, coordinate, parent.shown.ticketId);
    if (verdict.kind === 'omit') {
      if (verdict.lacksLink === true) this.tellLackOfLink(coordinate, parent);
      return false;
    }
    this.showOf(parent.behind?.(coordinate) ?? parent);
    return true;
  }

  private showOf(shown: Shown): void {
    if (this.last === shown) return;
    this.last = shown;
    this.parents.add(shown);
  }

  /**
   * That nothing is shown of payments for want of a link would look as if there were none. Throws `DENIED` to whoever is shown that link in clear,
   * under a live assistance; to anybody else it would tell of it. What it tells is the link, and that is on record as shown.
   */
  private tellLackOfLink(coordinate: string, parent: Shown): void {
    const { linkField, shown } = parent;
    if (linkField === undefined || !this.covering(shown.customer?.id ?? null)) return;
    const verdict = this.verdicts.get(linkField)?.[parent.linkAssurance];
    if (verdict?.kind !== 'reveal') return;
    this.tally(parent.linkAssurance, linkField, verdict);
    this.showOf(parent);
    throw Failure.denied('LINK', coordinate, shown.ticketId, { isOnRecord: true });
  }

  /** Apart from `leave`, which would otherwise make what a callback needs for each value. */
  private leaveLater(
    verdict: Verdict,
    coordinate: string,
    parent: Shown,
    clear: Promise<unknown>,
    searched: Searched,
  ): Promise<unknown> {
    return clear.then((settled) => this.leave(verdict, coordinate, parent, settled, searched));
  }

  /**
   * Whoever may narrow or order by a value finds it out. Throws `DENIED` where it isn't shown in clear under the parent's link,
   * whatever the role may filter or sort by.
   */
  expectClear({ coordinate, by }: Narrowing, parent: Shown): void {
    if (this.verdicts.get(coordinate)?.[parent.linkAssurance].kind === 'reveal') return;
    throw Failure.denied(by === 'filter' ? 'NOT_FILTERABLE' : 'NOT_SORTABLE', coordinate, parent.shown.ticketId);
  }

  /** Every one of these fields is shown of this object, in clear or masked: what is derived from them may be, too. */
  shows(coordinates: readonly string[], { linkAssurance }: Shown): boolean {
    return coordinates.every((coordinate) => {
      const kind = this.verdicts.get(coordinate)?.[linkAssurance].kind;
      return kind === 'reveal' || kind === 'mask';
    });
  }

  /** Every one of these fields is shown in clear of what is under this link: whoever finds out about them learns nothing by it. */
  reveals(coordinates: readonly string[], link: LinkAssurance): boolean {
    return coordinates.every((coordinate) => this.verdicts.get(coordinate)?.[link].kind === 'reveal');
  }

  /**
   * A root field showed something whose fields may all be unpoliced and which must be on record whatever was selected of it:
   * who reads the log is part of the log.
   */
  note(coordinate: string, count: number, parents: readonly Shown[] = []): void {
    const verdict = this.verdicts.get(coordinate)?.NONE;
    if (!verdict) return;
    this.tally('NONE', coordinate, verdict, count);
    for (const parent of parents) this.parents.add(parent);
  }

  /** Every live assistance of the actor is known here, not only what came with a ticket. */
  get knowsAll(): boolean {
    return this.hasAll;
  }

  /** When the first of the live assistances that are known here ends; null where there is none. */
  get endsAt(): Date | null {
    const ends = this.live.map(({ expiresAt }) => expiresAt.getTime());
    return ends.length === 0 ? null : new Date(Math.min(...ends));
  }

  /** One more live assistance. */
  grant(assistance: LiveAssistance): void {
    this.live = [...this.live.filter(({ id }) => id !== assistance.id), assistance];
    this.byCustomer = null;
  }

  /** Every live assistance of the actor; one that began while they were read stays. */
  grantAll(assistances: readonly LiveAssistance[]): void {
    const known = new Set(assistances.map(({ id }) => id));
    this.live = [...assistances, ...this.live.filter(({ id }) => !known.has(id))];
    this.byCustomer = null;
    this.hasAll = true;
  }

  /** The live assistance that covers this customer, on whatever ticket. */
  covering(customerId: string | null): LiveAssistance | undefined {
    if (customerId === null) return undefined;
    if (this.byCustomer === null) {
      this.byCustomer = new Map();
      for (const assistance of this.live)
        if (!this.byCustomer.has(assistance.customerId)) this.byCustomer.set(assistance.customerId, assistance);
    }
    return this.byCustomer.get(customerId);
  }

  /** The live assistance on this very ticket, as long as it is about the customer whom it was given for. */
  onTicket(ticketId: string, customerId: string | null): LiveAssistance | undefined {
    return this.live.find((assistance) => assistance.ticketId === ticketId && assistance.customerId === customerId);
  }

  get showing(): Showing {
    const fields = linkAssurances.flatMap((link) =>
      [...this.tallies[link].values()].flatMap((byField) =>
        [...byField.values()]
          .filter(({ count }) => count > 0)
          .map(({ field, verdict, count }) => ({ field, link, verdict: verdictText(verdict), count })),
      ),
    );
    return { fields, parents: this.parents };
  }

  /** A contact in a text that is called otherwise shows no more than it does in its own field, and the record says so. */
  private withContained(
    coordinate: string,
    verdict: Verdict,
    parent: Shown,
    { value, searched }: { readonly value: unknown; readonly searched: Searched },
  ): unknown {
    let masked: Verdict | null = null;
    const options = {
      verdicts: this.verdicts,
      assurance: parent.shown.underAssistance ? parent.linkAssurance : null,
      known: parent.knownContact ?? null,
      searched,
      tools: this.tools,
    };
    const each = (text: unknown): unknown => {
      if (typeof text !== 'string') return text;
      const found = withContainedMasked(text, options);
      if (found.verdict && (masked === null || permissiveness(found.verdict) < permissiveness(masked))) masked = found.verdict;
      return found.text;
    };
    const shown = Array.isArray(value) ? value.map(each) : each(value);
    if (masked !== null) {
      this.tally(parent.linkAssurance, coordinate, verdict, -1);
      this.tally(parent.linkAssurance, coordinate, masked);
    }
    return shown;
  }

  private counted(value: unknown): unknown {
    this.work.addText(value);
    return value;
  }

  private tally(link: LinkAssurance, field: string, verdict: Verdict, count = 1): Tally {
    const byVerdict = this.tallies[link];
    const byField = byVerdict.get(verdict) ?? new Map<string, Tally>();
    if (byField.size === 0) byVerdict.set(verdict, byField);
    const known = byField.get(field);
    if (known) {
      known.count += count;
      return known;
    }
    const tally = { field, verdict, count };
    byField.set(field, tally);
    return tally;
  }
}
