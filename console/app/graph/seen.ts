/** Whether somebody may see this page just now. */
export const isSeen = (): boolean => document.visibilityState === 'visible';

/** Calls back each time that the page comes into view or goes out of it, until what it returns is called. */
export const whenSeen = (then: () => void): (() => void) => {
  document.addEventListener('visibilitychange', then);
  return () => document.removeEventListener('visibilitychange', then);
};

/**
 * So many pages of a browser have a stream open at a time: with HTTP/1.1 there are six connections to an origin, of which requests need some, also
 * where frames in helpdesks' pages count theirs apart and share these.
 */
const places = ['counterfoil.stream.1', 'counterfoil.stream.2'];

/**
 * Calls `begin` once this page has one of the places, which it keeps until `signal` is aborted. Never where the browser gives no locks (Web Locks
 * are for secure origins).
 */
export const withPlace = async (signal: AbortSignal, begin: () => void): Promise<void> => {
  const keep = (lock: Lock | null) =>
    lock &&
    !signal.aborted &&
    new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
      begin();
    });
  try {
    for (const place of places) {
      await navigator.locks.request(place, { ifAvailable: true }, keep);
      if (signal.aborted) return;
    }
    const any = places[Math.floor(Math.random() * places.length)] as string;
    await navigator.locks.request(any, { signal }, keep);
  } catch {
    // Nobody waits any more, or there are no locks.
  }
};
