import { type ReactNode, useEffect, useRef } from 'react';

/** What became of something that the reader did, in the place of what did it: the keyboard goes there with it. */
export const Outcome = ({ children }: { readonly children: ReactNode }) => {
  const told = useRef<HTMLParagraphElement>(null);
  useEffect(() => told.current?.focus(), []);
  return (
    <p ref={told} role="status" tabIndex={-1} className="notice good">
      {children}
    </p>
  );
};
