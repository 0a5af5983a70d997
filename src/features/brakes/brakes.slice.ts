import type { Core } from '../core';
import { Brakes } from './brakes.service';

/** What rules stop members of staff in, until two others release it. */
export const createBrakes = async ({ database, keys, cursors, policy }: Core) => {
  const service = new Brakes({ database, keys, cursors, policy });
  await service.refresh();
  return { service, recurring: [() => service.refresh()] };
};
