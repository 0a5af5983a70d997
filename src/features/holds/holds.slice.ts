import type { Core } from '../core';
import { Holds } from './holds.service';

/** What waits, for whom, and until when. */
export const createHolds = ({ database, keys, cursors, clock }: Core) => {
  const service = new Holds({ database, keys, cursors, clock });
  return { service };
};
