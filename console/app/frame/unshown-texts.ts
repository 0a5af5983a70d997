import { catalogue, type TextsLike } from '../text/catalogue';

const english = {
  which: 'Which ticket is it about?',
  number: 'Number of the ticket',
  show: 'Show',
  refused: 'What the helpdesk signed for this page is too old, was used, or isn’t for here. Load the page again.',
  unreached:
    'Counterfoil can’t be asked just now, or too much is asked of it, so what the helpdesk signed for this page wasn’t checked. Try again; it is good for a minute, then load the page again.',
  again: 'Try again',
} as const;
export type UnshownTexts = TextsLike<typeof english>;

export const unshownTexts = catalogue(english, () => import('./unshown-texts.de'));
