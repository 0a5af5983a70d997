import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { client, headersOfPoll, streamUrl } from './client';
import type { Operation } from './operation';
import { type Refusal, Refusals, refusalsIn } from './refusals';
import { isSeen, whenSeen, withPlace } from './seen';
import { tellSignedOut } from './signed-out';
import { useSteppedUp } from './stepped-up';

/** What became of asking. `refresh` asks again and keeps what is there meanwhile. */
export type Answer<Data> = { readonly refresh: () => void } & (
  | { readonly state: 'loading' }
  | { readonly state: 'refused'; readonly refusal: Refusal }
  | {
      readonly state: 'ready';
      readonly data: Data;
      /** Of parts of it. */
      readonly refusals: Refusals;
      /** Why it couldn't be asked for again since `at`; null where it could. */
      readonly interrupted: Refusal | null;
      readonly at: Date;
      /** `refresh` was called, and its answer isn't there. */
      readonly isRefreshing: boolean;
    }
);

interface Asking {
  /** Nothing is asked as long as it is true. */
  readonly pause?: boolean;
  /** Seconds after which it is asked again while the page is seen; never unless told. */
  readonly every?: number;
  /** It is asked after `every` for the first time: something else has just told the same. */
  readonly isLate?: boolean;
}

/** Seconds without a touch after which what a page asks by itself is no work of anybody's. */
const untouched = 30;

const watchSignIn = (refusals: Refusals): Refusals => {
  if (refusals.all.some(({ code }) => code === 'UNAUTHENTICATED')) tellSignedOut();
  return refusals;
};

interface Known<Data> {
  readonly data: Data;
  readonly refusals: Refusals;
  readonly at: Date;
}

/** What came of asking with these variables: the last that is known, and why the last try gave nothing where it did. */
interface Told<Data> {
  readonly key: string;
  readonly known: Known<Data> | null;
  readonly refusal: Refusal | null;
}

/** Asks a query, and again when its variables change. Variables are compared by what they hold. */
export const useGraph = <Data, Variables extends object>(
  { text }: Operation<Data, Variables>,
  variables: Variables,
  { pause = false, every, isLate = false }: Asking = {},
): Answer<Data> => {
  const key = JSON.stringify(variables);
  const [told, setTold] = useState<Told<Data> | null>(null);
  const [isRefreshing, setRefreshing] = useState(false);
  const stop = useRef<(() => void) | null>(null);

  const ask = useCallback(
    (headers: Readonly<Record<string, string>> = {}) => {
      // One that is on its way may tell what was before the reader did something: it isn't waited for.
      stop.current?.();
      const asked = client
        .query<Data, Variables>(text, JSON.parse(key), { fetchOptions: { headers } })
        .subscribe(({ data, error, stale }) => {
          // What another component that asks the same was told before.
          if (stale) return;
          asked.unsubscribe();
          stop.current = null;
          const refusals = watchSignIn(refusalsIn(error));
          setRefreshing(false);
          setTold((before) => {
            if (data !== undefined && data !== null) return { key, known: { data, refusals, at: new Date() }, refusal: null };
            // A poll that fails takes nothing away: it is told beside what is there.
            return { key, known: before?.key === key ? before.known : null, refusal: refusals.first };
          });
        });
      stop.current = asked.unsubscribe;
    },
    [text, key],
  );
  const refresh = useCallback(() => {
    setRefreshing(true);
    ask();
  }, [ask]);
  // A machine that has a network again may have nobody before it.
  const resume = useCallback(() => {
    setRefreshing(true);
    ask(headersOfPoll(every ?? untouched));
  }, [ask, every]);

  // As soon as it is there: another effect would wait until the page was drawn without it.
  useLayoutEffect(() => {
    if (pause) return;
    if (!isLate) ask();
    return () => {
      stop.current?.();
      stop.current = null;
      setRefreshing(false);
    };
  }, [ask, pause, isLate]);

  useEffect(() => {
    if (every === undefined || pause) return;
    let isDue = false;
    const look = () => {
      isDue = !isSeen() || !navigator.onLine;
      // One that takes longer than that is waited for.
      if (!isDue && stop.current === null) ask(headersOfPoll(every));
    };
    const timer = setInterval(look, every * 1_000);
    const leave = whenSeen(() => {
      if (isDue) look();
    });
    return () => {
      clearInterval(timer);
      leave();
    };
  }, [every, pause, ask]);
  useEffect(() => {
    if (pause) return;
    addEventListener('online', resume);
    return () => removeEventListener('online', resume);
  }, [pause, resume]);

  useSteppedUp(() => {
    if (!pause) refresh();
  });

  if (told?.key !== key) return { state: 'loading', refresh };
  const { known, refusal } = told;
  if (known !== null) return { state: 'ready', ...known, interrupted: refusal, isRefreshing, refresh };
  if (refusal !== null && !isRefreshing) return { state: 'refused', refusal, refresh };
  return { state: 'loading', refresh };
};

/** Asks a query once: for what follows on something that the reader does. Null where nothing was given. */
export const askOnce = async <Data, Variables extends object>(
  { text }: Operation<Data, Variables>,
  variables: Variables,
): Promise<{ readonly data: Data | null; readonly refusals: Refusals }> => {
  const { data, error } = await client.query<Data, Variables>(text, variables).toPromise();
  return { data: data ?? null, refusals: watchSignIn(refusalsIn(error)) };
};

export interface Act<Data, Variables> {
  /** Resolves with what it gave, or null where it was refused. */
  readonly run: (variables: Variables) => Promise<Data | null>;
  readonly isBusy: boolean;
  /** Of the last run. */
  readonly refusal: Refusal | null;
  readonly forget: () => void;
}

/** Seconds after which something is asked again whose answer was lost. */
const askedAgainAfter = [1, 3];

/**
 * A mutation, at most one at a time. Where its answer was lost on the way it is asked again with the same variables, so these must be such that it
 * is done once: with a key of their own, or because doing it again changes nothing.
 */
export const useAct = <Data, Variables extends object>({ text }: Operation<Data, Variables>): Act<Data, Variables> => {
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const busy = useRef(false);
  const run = useCallback(
    async (variables: Variables) => {
      if (busy.current) return null;
      busy.current = true;
      setBusy(true);
      setRefusal(null);
      try {
        for (const seconds of [...askedAgainAfter, null]) {
          const { data, error } = await client.mutation<Data, Variables>(text, variables).toPromise();
          const { first } = watchSignIn(refusalsIn(error));
          if (first?.code === 'OFFLINE' && seconds !== null) {
            await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
            continue;
          }
          setRefusal(first);
          return first === null ? (data ?? null) : null;
        }
        return null;
      } finally {
        busy.current = false;
        setBusy(false);
      }
    },
    [text],
  );
  const forget = useCallback(() => setRefusal(null), []);
  return { run, isBusy, refusal, forget };
};

/** Seconds between two tries of a stream that ended: the first, and the longest. */
const [soonest, latest] = [1, 30];

/**
 * Follows a subscription as long as the component is there, `pause` is false, the page is seen and it has one of the browser's places for streams,
 * and begins it anew where it ends. `after` gives the variables with which it goes on. Whoever uses it asks now and then beside it: there may be no
 * place for this page.
 */
export const useLive = <Data, Variables extends object>(
  { text }: Operation<Data, Variables>,
  after: () => Variables,
  told: (data: Data) => void,
  pause = false,
): void => {
  const latestOf = useRef({ after, told });
  latestOf.current = { after, told };
  useEffect(() => {
    if (pause) return;
    let leaving = new AbortController();
    const follow = () => {
      const { signal } = leaving;
      let wait = soonest;
      let stop = () => {};
      signal.addEventListener('abort', () => stop());
      const begin = () => {
        if (signal.aborted) return;
        const context = { url: streamUrl, fetchOptions: { headers: { accept: 'text/event-stream', ...headersOfPoll(latest) } } };
        stop = client
          .subscription<Data, Variables>(text, latestOf.current.after(), context)
          .subscribe(({ data, error, hasNext }) => {
            if (signal.aborted) return;
            if (data) {
              wait = soonest;
              latestOf.current.told(data);
            }
            if (error) watchSignIn(refusalsIn(error));
            if (hasNext) return;
            setTimeout(begin, wait * 1_000);
            wait = Math.min(latest, wait * 2);
          }).unsubscribe;
      };
      if (isSeen()) void withPlace(signal, begin);
    };
    follow();
    const stop = whenSeen(() => {
      leaving.abort();
      leaving = new AbortController();
      follow();
    });
    return () => {
      stop();
      leaving.abort();
    };
  }, [text, pause]);
};

/** Calls `then` once for what comes within so many milliseconds, at their end: what comes without end doesn't put it off. */
export const useSoon = (milliseconds: number, then: () => void): (() => void) => {
  const latest = useRef(then);
  latest.current = then;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, milliseconds);
  }, [milliseconds]);
};
