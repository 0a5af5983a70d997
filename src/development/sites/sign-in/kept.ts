import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** Seconds since 1970. */
const now = (): number => Math.floor(Date.now() / 1_000);

const payload = z.looseObject({ uid: z.string().optional(), grantId: z.string().optional() });
type Payload = z.output<typeof payload>;
const kept = z.array(z.tuple([z.string(), z.strictObject({ content: payload, until: z.number() })]));

/** What is kept at most: whoever signs in a hundred times an hour is a test. */
const most = 2_000;
/** Milliseconds between a change and its writing. */
const writeAfter = 100;
/** Revoked with their grant. */
const ofGrants: ReadonlySet<string> = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

/**
 * What the development's OpenID provider keeps: in memory, and in a file of the data folder, so that a gateway that starts anew knows who
 * is signed in. It holds no more than the key beside it gives away.
 */
export class Kept {
  private readonly entries = new Map<string, { readonly content: Payload; readonly until: number }>();
  private writing: NodeJS.Timeout | null = null;

  constructor(private readonly file: string) {
    for (const [key, entry] of kept.safeParse(jsonOf(file)).data ?? []) if (entry.until > now()) this.entries.set(key, entry);
  }

  /** One kind of what is kept, as oidc-provider asks for it. */
  ofKind(kind: string) {
    const keyOf = (id: string) => `${kind}:${id}`;
    return {
      upsert: async (id: string, content: Payload, seconds: number): Promise<void> =>
        this.set(keyOf(id), content, now() + seconds),
      find: async (id: string): Promise<Payload | undefined> => this.get(keyOf(id)),
      findByUid: async (uid: string): Promise<Payload | undefined> => {
        const [key] = [...this.entries].find(([each, { content }]) => each.startsWith(`${kind}:`) && content.uid === uid) ?? [''];
        return this.get(key);
      },
      // Nobody signs in on a device without a keyboard here.
      findByUserCode: async (): Promise<undefined> => undefined,
      consume: async (id: string): Promise<void> => {
        const entry = this.entries.get(keyOf(id));
        if (entry) this.set(keyOf(id), { ...entry.content, consumed: now() }, entry.until);
      },
      destroy: async (id: string): Promise<void> => this.remove([keyOf(id)]),
      revokeByGrantId: async (grantId: string): Promise<void> =>
        this.remove(
          [...this.entries].flatMap(([key, { content }]) =>
            content.grantId === grantId && ofGrants.has(key.split(':')[0] ?? '') ? [key] : [],
          ),
        ),
    };
  }

  /** Writes what isn't written yet. */
  close(): void {
    if (this.writing === null) return;
    clearTimeout(this.writing);
    this.write();
  }

  private get(key: string): Payload | undefined {
    const entry = this.entries.get(key);
    return entry && entry.until > now() ? entry.content : undefined;
  }

  private set(key: string, content: Payload, until: number): void {
    // A map keeps the order in which things came: the oldest go first.
    this.entries.delete(key);
    this.entries.set(key, { content, until });
    for (const [each, entry] of this.entries) {
      if (entry.until > now() && this.entries.size <= most) break;
      this.entries.delete(each);
    }
    this.noteChange();
  }

  private remove(keys: readonly string[]): void {
    for (const key of keys) this.entries.delete(key);
    this.noteChange();
  }

  private noteChange(): void {
    this.writing ??= setTimeout(() => this.write(), writeAfter).unref();
  }

  private write(): void {
    this.writing = null;
    const aside = `${this.file}.new`;
    try {
      writeFileSync(aside, JSON.stringify([...this.entries]), { mode: 0o600 });
      renameSync(aside, this.file);
    } catch {
      // The folder is gone or full: whoever is signed in signs in again after a restart.
    }
  }
}

/** Undefined where there is none, or none that can be read: then nobody is signed in. */
const jsonOf = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};
