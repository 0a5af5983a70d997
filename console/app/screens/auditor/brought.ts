import { useSyncExternalStore } from 'react';

/** What an auditor brings along, for as long as the page is there: keys and a checkpoint. The browser keeps none of it. */
export interface Brought {
  readonly keys: string;
  readonly witnesses: string;
  readonly kept: string;
}

let brought: Brought = { keys: '', witnesses: '', kept: '' };
const listeners = new Set<() => void>();

export const bring = (more: Partial<Brought>): void => {
  brought = { ...brought, ...more };
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useBrought = (): Brought => useSyncExternalStore(subscribe, () => brought);
