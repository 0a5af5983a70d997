import type { Keys } from '../keys/keys.service';
import type { AlertRow } from './alert.rows';
import { AlertType } from './alert.type';

/** Alerts as a request shows them. */
export class AlertsLoader {
  constructor(private readonly keys: Keys) {}

  readonly toType = (row: AlertRow): AlertType => new AlertType(row, this.keys);
}
