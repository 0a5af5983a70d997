import type { ConfirmationAnswer, ConfirmationField, ConfirmationView } from './confirmation.view';

export type Problem = readonly [ConfirmationField | null, string];

/** The link can't be used, for whatever reason. */
export const dead: ConfirmationAnswer = { outcome: 'dead' };

/** Nothing happened, for these reasons. */
export const again = (view: ConfirmationView, problems: readonly Problem[]): ConfirmationAnswer => ({
  outcome: 'again',
  view,
  problems: problems.map(([field, message]) => ({ field, message })),
});
