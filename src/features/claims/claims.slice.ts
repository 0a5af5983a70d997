import type { Reads } from '../../db/reads';
import { raw, sql } from '../../db/sql';
import type { RulesFile } from '../../risk/rules-file';
import type { Core } from '../core';
import { message, statedRows } from '../tickets/tickets.rows';
import type { ClaimReading } from './claim-reading';
import type { ClaimParts, Claims } from './claims.service';

/** Messages of one turn. */
const atOnce = 50;

/** Loaded where somebody states something. */
const deskModule = () => require('./claims.service') as typeof import('./claims.service');
const readingModule = () => require('./claim-reading') as typeof import('./claim-reading');

/** What customers state of payments, held against theirs. */
export const createClaims = (
  { database, keys, clock }: Core,
  { assistances, history, rules }: Pick<ClaimParts, 'assistances' | 'history'> & { readonly rules: RulesFile },
) => {
  let desk: Claims | undefined;
  let opened: ClaimReading | undefined;
  const service = (): Claims => {
    desk ??= new (deskModule().Claims)({ database, keys, assistances, history });
    return desk;
  };
  const reading = {
    /** Holds what messages state against payments, as far as it is due. Returns how many claims it stored. */
    turn: async (): Promise<number> => {
      const isDue = sql`WHERE ${message.claimDueAt} <= ${clock()} ORDER BY ${message.claimDueAt} LIMIT ${raw(`${atOnce}`)}`;
      const due = await database.read(statedRows, isDue);
      if (due.length === 0) return 0;
      opened ??= new (readingModule().ClaimReading)({ database, keys, history });
      return opened.take(due);
    },
  };
  // What no rule reads isn't made of anybody's messages.
  const isRead = rules.settings.some(({ rule, mode }) => rule.name === 'claim-against-record' && mode !== 'OFF');
  return {
    service,
    recordersOf: async (reads: Pick<Reads, 'read'>, signals: readonly string[]) =>
      signals.some((signal) => signal.endsWith(':claim')) ? service().recordersOf(reads, signals) : [],
    reading,
    recurring: isRead ? [() => reading.turn()] : [],
  };
};
