import { Failure } from '../failure';
import { isBlank } from '../upstream/source-text';

/**
 * Why somebody does something, or what they noticed, in a form that is right: without blanks around it, 10 to 1,000 characters that can be read. That it
 * is one line, without what nobody sees, the graph saw to (`guard-texts.ts`). Throws `INVALID` about the argument.
 */
export const reasonIn = (reason: string, argument = 'reason', what = 'why'): string => {
  const trimmed = reason.trim();
  if (trimmed.length >= 10 && trimmed.length <= 1_000 && !isBlank(trimmed)) return trimmed;
  throw Failure.invalid(argument, `expected 10 to 1,000 characters that say ${what}`);
};
