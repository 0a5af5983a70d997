import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { PaymentHold } from './hold.entity';
import { placedStates } from './hold.states';
import type { OpenedStep } from './hold-steps';
import { hold, standingSteps, step } from './holds.rows';

/** What it was to bring about at the provider may stand there. */
export const mayStand = ({ row, state, wasSent }: OpenedStep): boolean =>
  row.phase === 'APPLY' && (state === 'DONE' || (wasSent && state !== 'REFUSED'));

/** Those of these targets that a call of another hold, which stands, made or will make. */
export const wantedByOthers = async (
  change: Change,
  holdId: string,
  targets: readonly string[],
): Promise<ReadonlySet<string>> => {
  if (targets.length === 0) return new Set();
  const { phase, state, target } = step;
  const stands = sql`${hold.state} IN (${placedStates}) AND ${hold.expiresAt} > ${change.at} AND ${hold.id} <> ${holdId}`;
  const isMade = sql`${phase} = 'APPLY' AND ${state} IN ('PLANNED', 'INTENDED', 'LOST', 'DONE')`;
  const rows = await change.read(standingSteps, sql`WHERE ${target} IN (${targets}) AND ${isMade} AND ${stands}`, {
    lock: true,
  });
  return new Set(rows.map((row) => row.target));
};

/**
 * Something that was done at the provider was left out of what takes it back, and no other hold wants it: a row says that the calls of a hold are written
 * down, and that is judged by the calls.
 */
export const isForgotten = async (
  change: Change,
  { id }: Pick<PaymentHold, 'id'>,
  steps: readonly OpenedStep[],
): Promise<boolean> => {
  const takenBack = new Set(steps.flatMap(({ row }) => (row.phase === 'UNDO' ? row.target : [])));
  const left = steps.filter((each) => mayStand(each) && each.call !== null && !takenBack.has(each.row.target));
  if (left.length === 0) return false;
  const listed = left.flatMap(({ row, call }) => (call?.action === 'LIST' ? row.target : []));
  const shared = await wantedByOthers(change, id, listed);
  return left.some(({ row }) => !shared.has(row.target));
};
