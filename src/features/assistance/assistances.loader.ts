import DataLoader from 'dataloader';
import type { SignedInActor } from '../../authz/actor';
import type { Loading } from '../loading';
import type { AssistanceRow } from './assistance.rows';
import type { Assistances } from './assistance.service';
import { AssistanceType } from './assistance.type';

/** Assistances as a request shows them: the actor's own on its tickets, and requests that were made before others. */
export class AssistancesLoader {
  private readonly byTicket: DataLoader<string, AssistanceRow | null>;
  private readonly earlier: DataLoader<AssistanceType, readonly AssistanceRow[]>;

  constructor(
    private readonly actor: SignedInActor,
    private readonly assistances: Assistances,
    private readonly clock: () => Date,
    private readonly loading: Loading,
  ) {
    // Not cached: opening a ticket may begin one in the middle of the request.
    this.byTicket = new DataLoader(
      async (ticketIds) => {
        const open = await assistances.ofTickets(actor, ticketIds, loading.fields());
        return ticketIds.map((ticketId) => open.get(ticketId) ?? null);
      },
      { cache: false },
    );
    this.earlier = new DataLoader((requests) => assistances.earlierOf(requests, loading.fields()), { maxBatchSize: 100 });
  }

  async ofTicket(ticketId: string): Promise<AssistanceType | null> {
    const row = await this.byTicket.load(ticketId);
    return row && this.toType(row);
  }

  async earlierOf(request: AssistanceType): Promise<readonly AssistanceType[]> {
    return (await this.earlier.load(request)).map((row) => this.toType(row));
  }

  /** One that a change of this request has just let the actor see. */
  async changed(id: string): Promise<AssistanceType> {
    return this.toType(await this.assistances.changed(id, this.loading.fields()));
  }

  readonly toType = (row: AssistanceRow): AssistanceType =>
    new AssistanceType(
      row,
      this.clock(),
      () => this.assistances.reasonOf(row.id),
      () => this.assistances.decisionDenial(this.actor, row),
    );
}
