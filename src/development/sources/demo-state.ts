import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { paymentMethodKinds, paymentMethodStatuses, providerRefusals } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { ChangeLog, Clock } from '../merchant/change-log';
import type { DemoMerchant } from '../merchant/merchant';

const instant = z.iso.datetime().transform((text) => new Date(text));
const entries = <Value extends z.ZodType>(value: Value, most: number) =>
  z
    .array(z.tuple([z.string(), value]))
    .max(most)
    .transform((all) => new Map(all as [string, z.output<Value>][]));

/** How much of what goes by is kept; what is older goes first. */
const most = {
  calls: 10_000,
  executions: 1_000,
  setups: 1_000,
  cards: 1_000,
  pauses: 10_000,
  listed: 10_000,
  accounts: 1_000_000,
} as const;
/** How long a result is kept under its idempotency key, milliseconds; as long as Stripe keeps it at least. */
const keysFor = 24 * 60 * 60 * 1_000;

const address = z.strictObject({
  line1: z.string().nullable(),
  line2: z.string().nullable(),
  city: z.string().nullable(),
  state: z.string().nullable().optional(),
  postalCode: z.string().nullable(),
  country: z.string().nullable(),
});

const method = z.strictObject({
  reference: z.string(),
  kind: z.enum(paymentMethodKinds),
  brand: z.string().nullable(),
  last4: z.string().nullable(),
  expiryMonth: z.int().nullable(),
  expiryYear: z.int().nullable(),
  /** Absent in states of an earlier version. */
  country: z.string().nullable().optional(),
  fingerprint: z.string().nullable().optional(),
  status: z.enum(paymentMethodStatuses),
  isDefault: z.boolean(),
  billingAddress: address.nullable(),
  createdAt: instant,
});

/** What a customer of the provider holds, once anything of it was changed. */
const account = z.strictObject({
  methods: z.array(method),
  subscriptions: z.array(z.strictObject({ reference: z.string(), method: z.string().nullable() })),
  /** The number of the newest change, as the change log gives it. */
  changed: z.int(),
});

/** A card that was entered and isn't attached to its customer. */
const card = z.strictObject({ customer: z.string(), method });

const setup = z.strictObject({
  customer: z.string(),
  returnUrl: z.string(),
  cancelUrl: z.string(),
  expiresAt: instant,
  threeDSecure: z.boolean(),
  entered: z.strictObject({ method: method.extend({ country: z.string().nullable() }), authenticated: z.boolean() }).nullable(),
});

/** The result of a call, kept under its idempotency key and given again to whoever sends the key again. */
const call = z.strictObject({
  /** Digest of what was asked for. */
  asked: z.string(),
  at: instant,
  answer: z.discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.literal('done') }),
    z.strictObject({ outcome: z.literal('refused'), why: z.enum(providerRefusals) }),
    z.strictObject({ outcome: z.literal('lost'), keySpent: z.literal(true) }),
    z.strictObject({ outcome: z.literal('opened'), setup: z.string() }),
  ]),
});

const holdActions = ['PAUSE_RENEWAL', 'RESUME_RENEWAL', 'LIST', 'UNLIST'] as const;

const execution = z.strictObject({
  at: instant,
  action: z.enum(['ATTACH', 'SET_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT', 'SET_ADDRESS', 'DETACH', 'OPEN_SETUP', ...holdActions]),
  customer: z.string(),
  method: z.string().nullable(),
  subscription: z.string().nullable(),
  key: z.string(),
});

const contents = z.strictObject({
  version: z.literal(1),
  /** What is kept is about this merchant: seed, size in blocks of a hundred customers, day. */
  merchant: z.string(),
  accounts: entries(account, most.accounts),
  cards: entries(card, most.cards),
  /** Until when renewals are paused, by customer and subscription; absent in states of an earlier version, as `listed`. */
  pauses: entries(instant, most.pauses).default(new Map()),
  /** What stands in the lists, and who put it there. */
  listed: entries(z.enum(['ours', 'theirs']), most.listed).default(new Map()),
  setups: entries(setup, most.setups),
  calls: entries(call, most.calls),
  executions: z.array(execution).max(most.executions),
});
type Contents = z.output<typeof contents>;

export type DemoAccount = z.output<typeof account>;
export type DemoSetup = z.output<typeof setup>;
export type DemoCall = z.output<typeof call>;
/** A call that changed something at the demo provider, whether or not its answer arrived. Addresses are left out. */
export type DemoExecution = z.output<typeof execution>;

/** The file isn't what the demo provider wrote. Names the file and what to do, nothing of its content. */
export class DemoStateBroken extends Error {
  constructor(readonly file: string) {
    super(
      `${file} is not the state of the demo payment provider, or was damaged. Delete it: what was changed at the demo provider is forgotten then.`,
    );
    this.name = 'DemoStateBroken';
  }
}

/** What is being changed: all of it becomes true at once, or nothing does. Its records are replaced, never changed in place. */
export class Draft {
  constructor(
    readonly contents: Contents,
    private readonly merchant: DemoMerchant,
    private readonly log: ChangeLog,
  ) {}

  /** The customer's account as it is, to be changed in place and put back. Null for a customer that the merchant doesn't have. */
  account(customer: string): DemoAccount | null {
    const account = accountIn(this.contents, this.merchant, customer);
    return (
      account && {
        ...account,
        methods: account.methods.map((each) => ({ ...each })),
        subscriptions: account.subscriptions.map((each) => ({ ...each })),
      }
    );
  }

  /** Puts a changed account back: `changes` tells of it. */
  put(customer: string, account: DemoAccount): void {
    account.changed = this.log.note(customer, account.changed);
    this.contents.accounts.set(customer, account);
  }
}

const accountIn = (contents: Contents, merchant: DemoMerchant, customer: string): DemoAccount | null => {
  const kept = contents.accounts.get(customer);
  if (kept) return kept;
  const number = merchant.paymentCustomerNumber(customer);
  if (number === 0) return null;
  return {
    methods: merchant.methods(number),
    subscriptions: [...merchant.subscriptions(number)],
    changed: 0,
  };
};

const nothing = (merchant: string): Contents => ({
  version: 1,
  merchant,
  accounts: new Map(),
  cards: new Map(),
  pauses: new Map(),
  listed: new Map(),
  setups: new Map(),
  calls: new Map(),
  executions: [],
});

const copyOf = (contents: Contents): Contents => ({
  ...contents,
  accounts: new Map(contents.accounts),
  cards: new Map(contents.cards),
  pauses: new Map(contents.pauses),
  listed: new Map(contents.listed),
  setups: new Map(contents.setups),
  calls: new Map(contents.calls),
  executions: [...contents.executions],
});

/** Drops the first entries of a map, which are its oldest, down to `size`. */
const shorten = (map: Map<string, unknown>, size: number): void => {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
};

export interface DemoStateOptions {
  readonly merchant: DemoMerchant;
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly source: string;
  /** Where it outlives the process; in memory only without one. */
  readonly file: string | null;
}

/**
 * What was changed at the demo provider. A change is in the file, whole, before anybody is told that it was made; a file
 * that another process replaced is read again. Two processes that change at the same instant may lose one of the changes:
 * a demo has one.
 */
export class DemoState {
  private readonly mark: string;
  private contents: Contents;
  private seen = '';

  /** Throws `DemoStateBroken`. A missing file, or that of another merchant, is an empty state. */
  constructor(private readonly options: DemoStateOptions) {
    const { seed, size, anchor } = options.merchant;
    this.mark = `${seed}/${Math.round(size * 50)}/${anchor.toISOString().slice(0, 10)}`;
    this.contents = nothing(this.mark);
    this.read();
  }

  /** The state as it is now. Throws `SourceUnavailable` (malformed) where the file was damaged meanwhile. */
  get now(): Contents {
    try {
      this.read();
    } catch (error) {
      if (error instanceof DemoStateBroken) throw new SourceUnavailable(this.options.source, 'malformed');
      throw error;
    }
    return this.contents;
  }

  /** Lets the change log know of what another process changed. */
  takeIn(): void {
    void this.now;
  }

  /** Null for a customer that the merchant doesn't have. To be read only. */
  account(customer: string): DemoAccount | null {
    return accountIn(this.now, this.options.merchant, customer);
  }

  /** Changes what `work` changes in its draft, unless that throws. Throws `SourceUnavailable` (fault) where it couldn't be kept: then nothing was changed. */
  change<T>(work: (draft: Draft) => T): T {
    const contents = copyOf(this.now);
    const result = work(new Draft(contents, this.options.merchant, this.options.log));
    this.prune(contents);
    this.write(contents);
    this.contents = contents;
    return result;
  }

  private prune(contents: Contents): void {
    const now = this.options.clock.now().getTime();
    for (const [key, { at }] of contents.calls) if (now - at.getTime() > keysFor) contents.calls.delete(key);
    shorten(contents.calls, most.calls);
    shorten(contents.setups, most.setups);
    shorten(contents.cards, most.cards);
    shorten(contents.pauses, most.pauses);
    shorten(contents.listed, most.listed);
    contents.executions.splice(0, Math.max(0, contents.executions.length - most.executions));
  }

  private read(): void {
    const { file, log } = this.options;
    if (file === null) return;
    let text: string;
    let version: string;
    try {
      version = versionOf(file);
      if (version === this.seen) return;
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new DemoStateBroken(file);
    }
    const found = parsed(text);
    if (found === null) throw new DemoStateBroken(file);
    this.seen = version;
    if (found.merchant !== this.mark) return;
    this.contents = found;
    for (const [customer, { changed }] of found.accounts) log.restore(customer, changed);
  }

  private write(contents: Contents): void {
    const { file, source } = this.options;
    if (file === null) return;
    const temporary = `${file}.part`;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const handle = openSync(temporary, 'w', 0o600);
      try {
        writeFileSync(
          handle,
          JSON.stringify(contents, (_key, value: unknown) => (value instanceof Map ? [...value] : value)),
        );
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(temporary, file);
    } catch {
      rmSync(temporary, { force: true, recursive: true });
      throw new SourceUnavailable(source, 'fault');
    }
    // The new name itself must survive a power cut too.
    const folder = openSync(dirname(file), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    this.seen = versionOf(file);
  }
}

/** Changes whenever the file was replaced. */
const versionOf = (file: string): string => {
  const { ino, mtimeNs, size } = statSync(file, { bigint: true });
  return `${ino}/${mtimeNs}/${size}`;
};

const parsed = (text: string): Contents | null => {
  try {
    return contents.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
};
