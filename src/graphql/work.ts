import { performance } from 'node:perf_hooks';
import { Failure } from '../failure';
import { Lanes, WaitedTooLong, Waits } from '../lanes';
import type { OperationLimits } from './limits.section';

/** Milliseconds after which operations give the event loop back to whoever waits for it. */
const slice = 2;
/**
 * From so many objects, or characters of texts, an operation is a large one, and gives the loop back while it goes on. A smaller one
 * does so only where it waits for rows: in the middle of a level, those that wait would need a statement of their own.
 */
const largeObjects = 2_000;
const largeTexts = 256 * 1024;
/** Bytes of texts that are read for an answer: so many times those that it may have. */
const readOfAnswer = 4;
/** Large operations that go on at once: what each of them holds in memory is bounded, so that this bounds all of it. */
const largeAtOnce = 3;
/** Root fields of an operation that begin at once: they may share statements further down. */
const rootsAtOnce = 4;
/** Milliseconds for which a large operation waits for the others before it is refused. */
export const longestWait = 10_000;

/**
 * The turns of the event loop, for all operations of the process: in each turn they go on for one slice together, then one of those
 * that wait goes on in the next, in the order they came, after everybody else was heard.
 */
class Turns {
  private began = 0;
  private isTimed = false;
  private readonly waiting: (() => void)[] = [];

  isOver(): boolean {
    const now = performance.now();
    if (this.isTimed) return now - this.began > slice;
    this.time(now);
    return false;
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (!this.isTimed) this.time(performance.now());
    });
  }

  private time(now: number): void {
    this.isTimed = true;
    this.began = now;
    setImmediate(this.end);
  }

  private readonly end = (): void => {
    this.isTimed = false;
    const goOn = this.waiting.shift();
    if (!goOn) return;
    this.time(performance.now());
    goOn();
  };
}

export const tooManyLarge = (): Failure =>
  new Failure('RATE_LIMITED', 'Too many large operations are under way.', {
    rule: 'operation.large',
    remedy: 'Ask for less at a time, or try again shortly.',
    retryAfter: 5,
  });

const turns = new Turns();
const large = new Lanes(largeAtOnce);

/** Lets everybody else be heard, between parts of what takes long and belongs to no operation alone. */
export const nextTurn = (): Promise<void> => turns.next();

/** Goes on at once where this turn of the event loop has just begun, otherwise in a turn of its own: before what takes milliseconds. */
export const inOwnTurn = async (): Promise<void> => {
  if (turns.isOver()) await turns.next();
};

type WorkLimits = Pick<OperationLimits, 'objects' | 'answerBytes'>;

/**
 * What one operation has caused so far: the objects that its answer is made of and the characters of the texts in it, counted as
 * they are made. Past a bound it is over: whatever would still be resolved is nothing, and the answer is that bound.
 */
export class Work {
  private objects = 0;
  private texts = 0;
  private read = 0;
  private ended = false;
  private leave: (() => void) | undefined;
  private endWait: () => void = () => {};
  private entering: Promise<void> | undefined;
  private pausing: Promise<void> | undefined;
  private roots = 0;
  private lastRoot: Promise<unknown> = Promise.resolve();
  /** Why it is over; null while it goes on. */
  over: Failure | null = null;

  /** Once it is large it is among `waits`: the few that go on at once are bounded by themselves, and must not keep places from others. */
  constructor(
    private readonly limits: WorkLimits,
    private readonly waits = new Waits(),
  ) {}

  /** It made so many objects, or read so many rows. */
  addObjects(count: number): void {
    this.objects += count;
    if (this.objects > this.limits.objects) this.endPast(`${this.limits.objects} objects (limits.objects)`);
  }

  /** It read so many bytes for texts: what is read is held until the operation ends, shown or not. */
  addRead(bytes: number): void {
    this.read += bytes;
    if (this.read > readOfAnswer * this.limits.answerBytes)
      this.endPast(`${readOfAnswer * this.limits.answerBytes} bytes of texts read (${readOfAnswer} times limits.answerBytes)`);
  }

  addText(text: unknown): void {
    if (typeof text !== 'string') return;
    this.texts += text.length;
    if (this.texts > this.limits.answerBytes) this.pastAnswer();
  }

  /**
   * Runs a root field: the first few at once, each of the others when the one before has its rows, in a turn of the event loop that has
   * just begun. Under aliases one document asks for dozens, each with statements of its own; an embedded database answers them
   * while nobody else is heard.
   */
  root<T>(run: () => T | Promise<T>): T | Promise<T> {
    this.roots += 1;
    if (this.roots <= rootsAtOnce) return run();
    const made = this.lastRoot.then(inOwnTurn).then(run);
    this.lastRoot = made.catch(() => {});
    return made;
  }

  /** The answer is, or will be, longer than an answer may be. */
  pastAnswer(): Failure {
    return this.endPast(`${this.limits.answerBytes} bytes of answer (limits.answerBytes)`);
  }

  get isLarge(): boolean {
    return this.objects > largeObjects || this.texts > largeTexts;
  }

  /** Something else must be heard before it goes on. */
  get mustWait(): boolean {
    return !this.ended && this.isLarge && (this.leave === undefined || turns.isOver());
  }

  /** Resolves when it may go on. Whatever of it waits at once waits for the same turn. */
  async turn(): Promise<void> {
    while (this.over === null && this.mustWait) {
      if (this.leave === undefined) await this.enter();
      else await this.pause();
    }
  }

  /** It ended, however it did. */
  end(): void {
    this.ended = true;
    this.leave?.();
    this.endWait();
  }

  private pause(): Promise<void> {
    this.pausing ??= turns.next().then(() => {
      this.pausing = undefined;
    });
    return this.pausing;
  }

  /** Waits until fewer large ones are under way. */
  private enter(): Promise<void> {
    this.entering ??= new Promise<void>((resolve) => {
      this.endWait = this.waits.begin();
      const place = (): Promise<void> => {
        resolve();
        if (this.ended) return Promise.resolve();
        return new Promise((leave) => {
          this.leave = leave;
        });
      };
      large.run('interactive', place, longestWait).catch((error: unknown) => {
        if (!(error instanceof WaitedTooLong)) throw error;
        this.over ??= tooManyLarge();
        resolve();
      });
    });
    return this.entering;
  }

  private endPast(bound: string): Failure {
    this.over ??= new Failure('RATE_LIMITED', `The operation came to more than ${bound}. Nothing of it is shown.`, {
      rule: 'operation.work',
      remedy: 'Ask for less at a time: fewer items by first, fewer fields, fewer aliases.',
    });
    return this.over;
  }
}

/** The work of a context that no operation has begun in yet. */
export const noWork = (): Work => new Work({ objects: Number.POSITIVE_INFINITY, answerBytes: Number.POSITIVE_INFINITY });
