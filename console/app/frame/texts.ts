import { catalogue, type TextsLike } from '../text/catalogue';

const english = {
  signIn: 'Sign in',
  why: 'Counterfoil shows payments here once you have signed in to it yourself, in a window of its own.',
  waiting: 'Waiting for the other window …',
  continue: 'Continue',
  gone: 'The other window was closed or cut off. If it said that you are signed in, continue here; the browser may ask whether this frame may use that.',
  blocked: 'The browser opened no window. Allow windows for this page, or open the ticket in the console.',
  refused: 'That didn’t work in this frame. Try again, or open the ticket in the console.',
  console: 'Open the ticket in the console',
  ticket: 'Ticket {reference}',
  signOut: 'Sign out of this frame',
} as const;
export type FrameTexts = TextsLike<typeof english>;

export const frameTexts = catalogue(english, () => import('./texts.de'));
