import DataLoader from 'dataloader';
import type { Keys } from '../keys/keys.service';
import type { AlertRow } from './alert.rows';
import { AlertType } from './alert.type';

/** Which of these customers, by their ids on either side, a step-up is asked of. */
export type Demanded = (ids: readonly string[]) => Promise<ReadonlySet<string>>;

/** Alerts as a request shows them. */
export class AlertsLoader {
  private readonly demanded: DataLoader<string, boolean>;

  constructor(
    private readonly keys: Keys,
    demanded: Demanded,
  ) {
    this.demanded = new DataLoader(async (ids) => {
      const found = await demanded(ids);
      return ids.map((id) => found.has(id));
    });
  }

  /** Whether whom an alert is about is to be authenticated anew before they pay. */
  async isDemanded({ names }: AlertType): Promise<boolean> {
    return (await this.demanded.loadMany(names)).some((each) => each === true);
  }

  readonly toType = (row: AlertRow): AlertType => new AlertType(row, this.keys);
}
