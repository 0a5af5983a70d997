import { sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { keyedIfAny, withKeyOfOwner } from '../keys/keys.service';
import { brakes } from './brake.entity';

export const brake = brakes.as('b');

/** A brake with the key of whom it stops, which its reasons are sealed with. */
export const brakeRows = select(
  {
    ...brake.pick(
      'id',
      'actorId',
      'level',
      'rule',
      'state',
      'placedAt',
      'proposedById',
      'proposedAt',
      'releasedById',
      'releasedAt',
    ),
    ...brake.pick('proposalReasonSealed', 'releaseReasonSealed'),
    ...keyedIfAny,
  },
  sql`FROM ${brake} ${withKeyOfOwner(brake.actorId)}`,
);
export type BrakeRow = Selected<typeof brakeRows>;

/** Those that aren't released, as far as what they stop needs it. */
export const openBrakes = select(brake.pick('id', 'actorIds', 'staffIds', 'level'), sql`FROM ${brake}`);
export type OpenBrake = Selected<typeof openBrakes>;

/** Those that were released, and when. */
export const releasedBrakes = select(
  { ...brake.pick('actorIds', 'staffIds'), releasedAt: optional(brake.releasedAt) },
  sql`FROM ${brake}`,
);

export const brakeCount = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${brake}`);
