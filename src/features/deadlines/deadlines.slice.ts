import type { RulesFile } from '../../risk/rules-file';
import type { Core } from '../core';
import { type DeadlineParts, Deadlines } from './deadlines.service';

/** What ends by itself at the providers, told in time to the rules that wait for it. */
export const createDeadlines = (
  { database, keys, clock }: Core,
  { sources, rules }: Pick<DeadlineParts, 'sources'> & { readonly rules: RulesFile },
) => {
  const isRead = (name: string) => rules.settings.some(({ rule, mode }) => rule.name === name && mode !== 'OFF');
  const tells = { authorizations: isRead('provider-deadline'), cards: isRead('card-expiring') };
  const service = new Deadlines({ database, keys, clock, sources, tells });
  return { service, recurring: [() => service.run()] };
};
