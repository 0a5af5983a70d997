import type { RulesFile } from '../../risk/rules-file';
import type { Core } from '../core';
import { ClaimReading } from './claim-reading';
import { type ClaimParts, Claims } from './claims.service';

/** What customers state of payments, held against theirs. */
export const createClaims = (
  { database, keys, clock }: Core,
  { assistances, history, rules }: Pick<ClaimParts, 'assistances' | 'history'> & { readonly rules: RulesFile },
) => {
  const reading = new ClaimReading({ database, keys, clock, history });
  // What no rule reads isn't made of anybody's messages.
  const isRead = rules.settings.some(({ rule, mode }) => rule.name === 'claim-against-record' && mode !== 'OFF');
  return {
    service: new Claims({ database, keys, assistances, history }),
    reading,
    recurring: isRead ? [() => reading.turn()] : [],
  };
};
