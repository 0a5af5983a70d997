/** A name cut out of a longer text keeps the whole of it in memory: what is remembered is a copy. */
const copyOf = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

/** Plans that the disclosures of some leaves name, and those that leaves among them state. It grows with the number of different plans. */
export class CitedPlans {
  /** Fields of each plan that was stated. */
  private readonly stated = new Map<string, number>();
  /** The first disclosure that names a plan which wasn't stated before it, and of how many fields it has counts, where that is known. */
  private readonly open = new Map<string, { readonly leaf: number; width: number | null }>();

  /** A leaf states this plan. False where a disclosure before it has counts of another number of fields. */
  state(digest: string, fields: number): boolean {
    const width = this.open.get(digest)?.width ?? null;
    this.stated.set(copyOf(digest), fields);
    this.open.delete(digest);
    return width === null || width === fields;
  }

  /** A disclosure names this plan. False where the plan has another number of fields than `width`, null where it isn't known. */
  cite(digest: string, leaf: number, width: number | null): boolean {
    const fields = this.stated.get(digest);
    if (fields !== undefined) return width === null || width === fields;
    const known = this.open.get(digest);
    if (known === undefined) {
      this.open.set(copyOf(digest), { leaf, width });
      return true;
    }
    known.width ??= width;
    return width === null || width === known.width;
  }

  /** It was named and not stated. */
  isOpen(digest: string): boolean {
    return this.open.has(digest);
  }

  /** Those that were named and not stated, with the first leaf that names each. */
  get lacking(): readonly (readonly [digest: string, leaf: number])[] {
    return [...this.open].map(([digest, { leaf }]) => [digest, leaf] as const);
  }
}
