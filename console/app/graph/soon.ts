import { useCallback, useEffect, useRef } from 'react';

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
