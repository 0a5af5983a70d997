/** Milliseconds after which names are forgotten as soon as others are told of, though there were room: between one and two of them. */
const keptFor = 300_000;
/** Characters of names and digests, with what an entry takes, that are kept, and as many of those of before. */
const mostCharacters = 6_000_000;
const ofEntry = 60;

type Kept = Map<string, Map<string, string>>;

/**
 * Digests of names that were told of lately: who pays twice is named twice, and a digest costs more than whatever else is done with a
 * name. Names are clear here, as in the requests that bring them: none stays longer than it has to.
 */
export class RecentDigests {
  // Private to the language, too: what is shown of an object in a log has none of it.
  #kept: Kept = new Map();
  #before: Kept = new Map();
  #size = 0;
  #since = performance.now();

  /** Digests of one kind of names, for one piece of work. `make` makes the same of a name each time. */
  of(kind: string, make: (name: string) => string): (name: string) => string {
    this.forget();
    const before = this.#before.get(kind);
    const kept = this.#kept.get(kind) ?? new Map<string, string>();
    this.#kept.set(kind, kept);
    return (name) => {
      const known = kept.get(name);
      if (known !== undefined) return known;
      const digest = before?.get(name) ?? make(name);
      kept.set(name, digest);
      this.#size += name.length + digest.length + ofEntry;
      return digest;
    };
  }

  private forget(): void {
    const age = performance.now() - this.#since;
    if (age < keptFor && this.#size < mostCharacters) return;
    this.#before = age < 2 * keptFor ? this.#kept : new Map();
    this.#kept = new Map();
    this.#size = 0;
    this.#since = performance.now();
  }
}
