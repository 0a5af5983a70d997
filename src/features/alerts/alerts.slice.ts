import type { Core } from '../core';
import { AlertsLoader } from './alerts.loader';
import { type AlertParts, Alerts } from './alerts.service';

/** What the holder of a ticket should know: raised, told, resolved. */
export const createAlerts = ({ database, keys, cursors, clock }: Core, { assistances }: Pick<AlertParts, 'assistances'>) => {
  const service = new Alerts({ database, keys, cursors, clock, assistances });
  return {
    service,
    loader: () => new AlertsLoader(keys),
    recurring: [() => service.expire()],
  };
};
