import { distinctKeys, formatVerifierKey, type SignerKey, type VerifierKey, verifierKeyOf } from '../audit/note';
import { clockSkew } from '../audit/sequence';
import { systemActor } from '../authz/actor';
import { Loop } from '../background/loop';
import { auditEvents } from '../db/audit.entity';
import type { Database } from '../db/database';
import { isConflict, isDuplicate, isLostConnection } from '../db/engine';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { Checkpoints, keyIdText, type SignedCheckpoint } from './checkpoints';
import { integrate, treeSize } from './integration';
import { LogBroken } from './log-broken';
import type { Mark } from './mark';
import { claimOrigin } from './origins';
import { QueueGuard } from './queue-guard';
import { checkTail } from './tail-check';
import { expectStillThere } from './tail-watch';

/** The pause between two turns, in milliseconds: twice within the second after which what is new must be signed. */
const turnEvery = 400;
/** What is integrated for longer than this without a pause, in milliseconds, is signed in between. */
const signWithin = 400;
/** A leaf that says what time it is, at least this often, in milliseconds: nothing can be dated further back than that without notice. */
const timeLeafEvery = 60_000;

/** A clock that is set steps by more than this, in milliseconds; one that is slewed never goes back. */
const clockStep = 1_000;

const timeLeaves = select(auditEvents.pick('at'), sql`FROM ${auditEvents}`);
const ofTime = sql`WHERE ${auditEvents.actorId} = ${systemActor('sequencer').id} AND ${auditEvents.action} = 'log.time'`;
const keyEvents = select(auditEvents.pick('id'), sql`FROM ${auditEvents}`);

export interface SequencerOptions {
  readonly origin: string;
  readonly signers: readonly SignerKey[];
  /** Public keys that are configured beside those of `signers`: a latest checkpoint by one of them is continued. */
  readonly keys?: readonly VerifierKey[];
  /** Checkpoints go to a place outside their owner's reach; those that don't say so in a line of their own. */
  readonly anchored: boolean;
  /** Where what is signed is noted before anybody is told of it. */
  readonly mark?: Mark | null;
  readonly clock: () => Date;
  /** A turn failed. It is tried again, unless it is a `LogBroken`, after which nothing is signed any more. */
  readonly onFault: (error: unknown) => void;
  /** The clock went back by so many milliseconds, against what it said before or what the log says of the time. */
  readonly onClockBack?: (milliseconds: number) => void;
  /** A checkpoint is committed. */
  readonly onCheckpoint?: (checkpoint: SignedCheckpoint) => void;
}

/**
 * Builds the tree of committed events and signs its heads. Any number may run at once, in gateways or processes of their
 * own, and any may end at any moment: what is stored decides, and the primary keys let one of two through.
 */
export class Sequencer {
  readonly checkpoints: Checkpoints;
  private readonly loop: Loop;
  private readonly guard: QueueGuard;
  /** The latest checkpoint this process knows of: a stored log that ends before it went back. */
  private known: SignedCheckpoint | null = null;
  /** By one of these the latest checkpoint must be. */
  readonly keys: readonly VerifierKey[];
  /** When the last time leaf that this process counts was written, UTC milliseconds; 0 before the first look. */
  private timeAt = 0;
  /** What the log says of the time up to here is from before the clock went back, UTC milliseconds. */
  private saidBefore = Number.NEGATIVE_INFINITY;
  /** What the clock said in the turn before, UTC milliseconds. */
  private latestNow = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly database: Database,
    private readonly options: SequencerOptions,
  ) {
    this.checkpoints = new Checkpoints(database, options.origin);
    this.keys = distinctKeys([...options.signers.map(verifierKeyOf), ...(options.keys ?? [])]);
    this.guard = new QueueGuard({
      vouchers: () => database.vouchers,
      keys: this.keys,
      clock: options.clock,
      onApart: (event) => options.onFault(event),
    });
    this.loop = new Loop({
      turn: () => this.turn(),
      // Several that were started together don't stay in step.
      every: () => turnEvery * (0.75 + Math.random() / 2),
      onFault: (error) => this.onFault(error),
    });
  }

  /**
   * Looks whether what is stored can be continued, and records the name and the keys where they are new. Throws `LogBroken`
   * with what differs: then nothing may be signed.
   */
  async open(): Promise<void> {
    const { origin, clock } = this.options;
    await claimOrigin(this.database, origin, clock());
    this.known = await checkTail(this.database, this.checkpoints, this.keys);
    await this.recordKeys();
  }

  /** Takes turns until `stop`. */
  start(): void {
    this.loop.start();
  }

  /** Ends the turn under way, if there is one, and takes no other: at the end, or when what is stored isn't ours any more. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Integrates what is committed, and signs where there is something new. Returns the last checkpoint it signed, or null. */
  async turn(): Promise<SignedCheckpoint | null> {
    await this.recordTime();
    let signed: SignedCheckpoint | null = null;
    let since = performance.now();
    while ((await integrate(this.database, this.guard)) > 0) {
      if (performance.now() - since < signWithin) continue;
      signed = (await this.sign()) ?? signed;
      since = performance.now();
    }
    return (await this.sign()) ?? signed;
  }

  private onFault(error: unknown): void {
    // Somebody else was faster: the next turn sees what they did.
    if (isConflict(error) || isDuplicate(error)) return;
    if (error instanceof LogBroken) void this.stop();
    if (!this.loop.isStopped || !isLostConnection(error)) this.options.onFault(error);
  }

  private async sign(): Promise<SignedCheckpoint | null> {
    const { signers, anchored, mark, clock, onCheckpoint } = this.options;
    if (this.known?.size === (await treeSize(this.database))) return null;
    await expectStillThere(this.checkpoints, this.known);
    const signed = await this.checkpoints.sign(this.database, signers, { anchored, at: clock(), keys: this.keys });
    // Of another process, or of the turn before, after which it couldn't be marked.
    const latest = signed ?? (await this.checkpoints.latest());
    if (latest) await mark?.cover(latest, this.keys);
    this.known = latest;
    if (signed) onCheckpoint?.(signed);
    return signed;
  }

  /**
   * Two that write the time at once leave two leaves that say the same. Where the clock went back, the leaf is due at once: what
   * follows it is dated before what the log says of the time, and without one all of it would count as dated wrong.
   */
  private async recordTime(): Promise<void> {
    const now = this.options.clock().getTime();
    const back = this.latestNow - now;
    if (back >= clockStep || now - this.timeAt >= timeLeafEvery) {
      const ahead = await this.aheadOf(now);
      const wentBack = back >= clockStep || (this.timeAt === 0 && ahead > clockSkew);
      if (wentBack) this.saidBefore = now + Math.max(back, ahead);
      if (wentBack || (await this.isTimeDue(now))) {
        await this.database.system('sequencer', 'log.time', async (change) => change.record('log.time', {}));
        this.timeAt = now;
      }
      if (wentBack) this.options.onClockBack?.(Math.max(back, ahead));
    }
    this.latestNow = now;
  }

  /** By how many milliseconds the log is ahead of this clock: what it says of the time is later. */
  private async aheadOf(now: number): Promise<number> {
    const { at } = auditEvents;
    const [newest] = await this.database.read(timeLeaves, sql`${ofTime} ORDER BY ${at} DESC LIMIT 1`);
    return newest ? newest.at.getTime() - now : 0;
  }

  /** Nobody has said the time for a minute. What is dated later than now was said by a clock that is wrong. */
  private async isTimeDue(now: number): Promise<boolean> {
    const { at } = auditEvents;
    const [newest] = await this.database.read(
      timeLeaves,
      sql`${ofTime} AND ${at} > ${Math.max(0, this.saidBefore)} AND ${at} <= ${now + clockSkew} ORDER BY ${at} DESC LIMIT 1`,
    );
    this.timeAt = Math.max(this.timeAt, newest?.at.getTime() ?? 0);
    return now - this.timeAt >= timeLeafEvery;
  }

  /** Each key that signs stands in the log itself, so that whoever reads it learns when keys changed. */
  private async recordKeys(): Promise<void> {
    for (const key of this.options.signers.map(verifierKeyOf)) {
      const id = keyIdText(key);
      await this.database.system('sequencer', 'log.key', async (change) => {
        const { subjectType, subjectId } = auditEvents;
        const [known] = await change.read(keyEvents, sql`WHERE ${subjectType} = 'LogKey' AND ${subjectId} = ${id} LIMIT 1`);
        if (!known) change.record('log.key', { subject: { type: 'LogKey', id }, detail: { key: formatVerifierKey(key) } });
      });
    }
  }
}
