import { Failure } from '../failure';
import { Lanes, WaitedTooLong, Waits } from '../lanes';
import { Door } from './door';
import { inOwnTurn, longestWait, tooManyLarge } from './work';

/** From this cost on, an operation waits for a place: it may be large, and what it holds in memory before that shows adds up. */
const costlyFrom = 5_000;
/** Costly operations that go on at once, and how many of them for one actor. */
const costlyAtOnce = 6;
const costlyOfActor = 2;

/** Requests of one actor that are read, checked and answered at once, whatever they ask for; an answer that isn't read counts. */
const requestsOfActor = 8;
/** The same of a service, which asks for many people at once and reads what it asked for. */
const requestsOfService = 64;
/** What a service's request counts as where people's wait: all that it may have under way are as one of a person's. A power of two, so that sums are exact. */
const partOfPerson = 1 / requestsOfService;
/** Requests of one actor that wait for those. */
const waitingOfActor = 128;

const tooManyOfActor = (): Failure =>
  new Failure('RATE_LIMITED', 'Too many requests of yours are under way.', {
    rule: 'request.actor',
    remedy: 'Wait for the answers to earlier ones, and read them, before you ask for more.',
    retryAfter: 5,
  });

/** So many of each at once; those of one who has none under way take no memory. */
class LanesOfEach {
  private readonly all = new Map<string, { readonly lanes: Lanes; users: number }>();

  constructor(
    private readonly width: number,
    private readonly mostWaiting: number,
  ) {}

  /** Throws `WaitedTooLong`, and what `work` throws. */
  async run<T>(id: string, work: () => Promise<T>, longest: number): Promise<T> {
    const own = this.all.get(id) ?? { lanes: new Lanes(this.width, this.mostWaiting), users: 0 };
    this.all.set(id, own);
    own.users += 1;
    try {
      return await own.lanes.run('interactive', work, longest);
    } finally {
      own.users -= 1;
      if (own.users === 0) this.all.delete(id);
    }
  }
}

/** A request that wants to be let in. */
export interface Asking<T> {
  readonly actorId: string;
  readonly isService?: boolean;
  readonly work: () => Promise<T>;
  /** Settles when its answer has left, or nobody reads it any more. */
  readonly left: Promise<unknown>;
}

export interface AdmissionOptions {
  /** Requests that go on at once at most. */
  readonly most: number;
  /** Requests that wait for something else than this process and its database. */
  readonly waits?: Waits;
}

/**
 * Lets requests go on a few at once for each actor, and as many of all of them as can be answered in time: whoever sends a crowd of
 * them waits for themselves, and costs others no more than those few. Costly operations are fewer still, for each actor and together.
 */
export class Admission {
  /** Those that wait for others of their kind, or for a source, leave their place to others. */
  readonly waits: Waits;
  private readonly door: Door;
  private readonly costly = new Lanes(costlyAtOnce);
  private readonly costlyOfActors = new LanesOfEach(costlyOfActor, requestsOfActor);
  private readonly requests = new LanesOfEach(requestsOfActor, waitingOfActor);
  private readonly requestsOfServices = new LanesOfEach(requestsOfService, waitingOfActor);
  private ofThemselves = 0;

  constructor({ most, waits = new Waits() }: AdmissionOptions) {
    this.waits = waits;
    this.door = new Door({ most, waits });
  }

  /** Of all requests so far: how many were let in, sent away since there was too much, or since their actor had too many; and what is under way. */
  get state() {
    return { ...this.door.state, ofThemselves: this.ofThemselves };
  }

  /** More has come for a while than can be answered: what can wait should. */
  get isCrowded(): boolean {
    return this.door.isCrowded;
  }

  /**
   * A request before it is looked into. Resolves with its answer; the actor's place is taken until that has left, so that nobody
   * fills memory with answers that they don't read. Throws `OVERLOADED`, `RATE_LIMITED` where the actor alone has too many or
   * waited for themselves for twenty seconds, and what `work` throws.
   */
  request<T>({ actorId, isService = false, work, left }: Asking<T>): Promise<T> {
    const places = isService ? this.requestsOfServices : this.requests;
    return new Promise((resolve, reject) => {
      const untilLeft = async (): Promise<void> => {
        this.door.run(actorId, work, isService ? partOfPerson : 1).then(resolve, reject);
        await left;
      };
      places.run(actorId, untilLeft, 2 * longestWait).catch((error: unknown) => {
        if (!(error instanceof WaitedTooLong)) return reject(error);
        this.ofThemselves += 1;
        reject(tooManyOfActor());
      });
    });
  }

  /** An operation before it is executed. Throws `RATE_LIMITED` after a wait of ten seconds, and what `work` throws. */
  async operation<T>(actorId: string, cost: number, work: () => Promise<T>): Promise<T> {
    if (cost < costlyFrom) return work();
    const endWait = this.waits.begin();
    const inTurn = async (): Promise<T> => {
      endWait();
      await inOwnTurn();
      return work();
    };
    const inPlace = () => this.costly.run('interactive', inTurn, longestWait);
    try {
      return await this.costlyOfActors.run(actorId, inPlace, longestWait);
    } catch (error) {
      throw error instanceof WaitedTooLong ? tooManyLarge() : error;
    } finally {
      endWait();
    }
  }
}
