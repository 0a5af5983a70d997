/** A stored method, as far as it tells whether another one is the same card or account. */
interface Saved {
  readonly id: string;
  /** What the provider knows the card or account by; null or absent where it doesn't tell. */
  readonly fingerprint?: string | null | undefined;
  readonly kind: string;
  readonly last4: string | null;
  readonly status: string;
  readonly isDefault: boolean;
  readonly createdAt: Date;
}

interface Place {
  /** The method that is shown in place of this one; null for one that is shown itself. */
  readonly sameAsId: string | null;
  /** How often the card or account is saved; null of one that isn't shown, and where nobody knows. */
  readonly timesSaved: number | null;
}

/**
 * Which of a customer's methods are shown, by id: of a card or account that is saved several times the default, otherwise the one that was saved last. A wallet
 * is never taken for the card in it. Pure.
 */
export const placesOf = (methods: readonly Saved[]): ReadonlyMap<string, Place> => {
  const groups = new Map<string, Saved[]>();
  const places = new Map<string, Place>();
  for (const method of methods) {
    places.set(method.id, { sameAsId: null, timesSaved: null });
    if (!method.fingerprint || method.status === 'REMOVED') continue;
    // Whatever a provider says: what an agent could tell apart isn't one.
    const same = `${method.kind} ${method.last4} ${method.fingerprint}`;
    groups.set(same, [...(groups.get(same) ?? []), method]);
  }
  for (const group of groups.values()) {
    const [shown, ...others] = [...group].sort(
      (one, other) =>
        Number(other.isDefault) - Number(one.isDefault) ||
        other.createdAt.getTime() - one.createdAt.getTime() ||
        (one.id < other.id ? 1 : -1),
    );
    if (!shown) continue;
    places.set(shown.id, { sameAsId: null, timesSaved: group.length });
    for (const { id } of others) places.set(id, { sameAsId: shown.id, timesSaved: null });
  }
  return places;
};
