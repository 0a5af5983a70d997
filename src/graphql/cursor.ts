import { createHash } from 'node:crypto';
import { Failure } from '../failure';
import { open, seal } from '../privacy/sealing';

/** Where a page ends: the sort value and id of its last row. */
export interface Position {
  readonly value: number;
  readonly id: string;
}

export const largestPage = 100;
const defaultPage = 20;

/**
 * Cursors are sealed: the value that a list is sorted by may be one that its reader must not see. A cursor opens only
 * for the actor and the list (field, parent, filter, order) that it was made for.
 */
export class Cursors {
  constructor(private readonly key: Buffer) {}

  encode(actorId: string, list: unknown, position: Position): string {
    return seal(this.key, placeOf(actorId, list), JSON.stringify([position.value, position.id])).toString('base64url');
  }

  /** Throws `INVALID`, whatever is wrong with it. */
  decode(actorId: string, list: unknown, cursor: string | null | undefined): Position | null {
    if (cursor === null || cursor === undefined) return null;
    try {
      if (cursor.length > 512) throw new RangeError();
      const [value, id] = JSON.parse(open(this.key, placeOf(actorId, list), Buffer.from(cursor, 'base64url'))) as [
        number,
        string,
      ];
      return { value, id };
    } catch {
      throw Failure.invalid('after', 'expected an endCursor or cursor of this same list, with the same filter and order');
    }
  }
}

const placeOf = (actorId: string, list: unknown) => ({
  table: 'cursor',
  column: createHash('sha256').update(JSON.stringify(list)).digest('hex'),
  row: actorId,
});

/** Throws `INVALID` for a page that is empty or too long. */
export const pageSize = (first: number | null): number => {
  if (first === null) return defaultPage;
  if (!Number.isInteger(first) || first < 1 || first > largestPage)
    throw Failure.invalid('first', `expected 1 to ${largestPage}`);
  return first;
};
