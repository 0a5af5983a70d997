import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { Later } from './parts/notices';
import { textsLoaded } from './text/language';

/** Milliseconds for which a page is kept empty at most. */
const longest = 500;

/**
 * Draws a page together with what it begins with, so that its parts ask the graph at once. Drawn earlier, it would be drawn twice, and React holds back
 * what takes the place of a fallback: a screen would ask only after who is signed in was answered.
 */
export const draw = async (page: ReactNode, begins: Promise<unknown> = Promise.resolve()): Promise<void> => {
  // What can't be loaded is told by the part that misses it.
  const isThere = begins.then(() => textsLoaded()).catch(() => {});
  await Promise.race([isThere, new Promise((done) => setTimeout(done, longest))]);
  createRoot(document.getElementById('app') as HTMLElement).render(<Later meanwhile={null}>{page}</Later>);
};
