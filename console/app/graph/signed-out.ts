import { useSyncExternalStore } from 'react';

/** Whether the gateway has said that nobody is signed in here: one word for the whole page. */
let isSignedOut = false;
const listeners = new Set<() => void>();

export const tellSignedOut = (): void => {
  if (isSignedOut) return;
  isSignedOut = true;
  for (const listener of listeners) listener();
};

/** Somebody signed in without this page being left: what it shows is asked for anew. */
export const tellSignedIn = (): void => {
  isSignedOut = false;
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useSignedOut = (): boolean => useSyncExternalStore(subscribe, () => isSignedOut);
