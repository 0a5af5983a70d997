import DataLoader from 'dataloader';
import type { SignedInActor } from '../../authz/actor';
import type { Keys } from '../keys/keys.service';
import type { AlertRow } from './alert.rows';
import { AlertType } from './alert.type';
import type { Alerts } from './alerts.service';

/** Which of these customers, by their ids on either side, something is true of. */
export type Among = (ids: readonly string[]) => Promise<ReadonlySet<string>>;

const batched = (among: Among): DataLoader<string, boolean> =>
  new DataLoader(async (ids) => {
    const found = await among(ids);
    return ids.map((id) => found.has(id));
  });

const isAny = async (loader: DataLoader<string, boolean>, names: readonly string[]): Promise<boolean> =>
  (await loader.loadMany(names)).some((each) => each === true);

/** Alerts as a request shows them. */
export class AlertsLoader {
  private readonly demanded: DataLoader<string, boolean>;
  private readonly invited: DataLoader<string, boolean>;
  private readonly byTicket: DataLoader<string, readonly AlertType[]>;

  /** `demanded`: of whom a step-up is asked; `invited`: who are asked for a new card just now. */
  constructor(
    private readonly keys: Keys,
    { actor, alerts }: { readonly actor: SignedInActor; readonly alerts: Alerts },
    { demanded, invited }: { readonly demanded: Among; readonly invited: Among },
  ) {
    this.demanded = batched(demanded);
    this.invited = batched(invited);
    this.byTicket = new DataLoader(
      async (ticketIds) => (await alerts.ofTickets(actor, ticketIds)).map((rows) => rows.map(this.toType)),
      { maxBatchSize: 100 },
    );
  }

  /** Whether whom an alert is about is to be authenticated anew before they pay. */
  isDemanded({ names }: AlertType): Promise<boolean> {
    return isAny(this.demanded, names);
  }

  /** Whether whom an alert about a card that ends is about is asked for a new one just now. */
  async isInvited({ names, raisedBy }: AlertType): Promise<boolean> {
    return raisedBy === 'card-expiring' && (await isAny(this.invited, names));
  }

  /** The newest open ones that are told to the reader on a ticket. */
  ofTicket(ticketId: string): Promise<readonly AlertType[]> {
    return this.byTicket.load(ticketId);
  }

  readonly toType = (row: AlertRow): AlertType => new AlertType(row, this.keys);
}
