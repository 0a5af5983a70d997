import { useEffect, useRef } from 'react';

/** What pages of this browser tell each other by: that somebody signed in again, and nothing else. */
const name = 'counterfoil.stepped-up';

/** Told by the page to which a sign-in in another tab comes back. */
export const tellSteppedUp = (): void => {
  const channel = new BroadcastChannel(name);
  channel.postMessage(null);
  channel.close();
};

/** Calls back each time that somebody has signed in again in another tab: what was refused for want of it may be asked for once more. */
export const useSteppedUp = (then: () => void): void => {
  const latest = useRef(then);
  latest.current = then;
  useEffect(() => {
    const channel = new BroadcastChannel(name);
    channel.onmessage = () => latest.current();
    return () => channel.close();
  }, []);
};
