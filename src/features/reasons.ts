import { Failure } from '../failure';

/** Why somebody does something, in a form that is right: without blanks around it, 10 to 1,000 characters. Throws `INVALID` about the argument. */
export const reasonIn = (reason: string, argument = 'reason'): string => {
  const trimmed = reason.trim();
  if (trimmed.length >= 10 && trimmed.length <= 1_000) return trimmed;
  throw Failure.invalid(argument, 'expected 10 to 1,000 characters that say why');
};
