import DataLoader from 'dataloader';
import type { SignedInActor } from '../../authz/actor';
import type { AssistanceRow } from './assistance.rows';
import type { Assistances } from './assistance.service';
import { AssistanceType } from './assistance.type';

/** The actor's own assistances on the tickets of a request. */
export class AssistancesLoader {
  private readonly byTicket: DataLoader<string, AssistanceRow | null>;

  constructor(
    actor: SignedInActor,
    private readonly assistances: Assistances,
    private readonly clock: () => Date,
  ) {
    // Not cached: opening a ticket may begin one in the middle of the request.
    this.byTicket = new DataLoader(
      async (ticketIds) => {
        const open = await assistances.ofTickets(actor, ticketIds);
        return ticketIds.map((ticketId) => open.get(ticketId) ?? null);
      },
      { cache: false },
    );
  }

  async ofTicket(ticketId: string): Promise<AssistanceType | null> {
    const row = await this.byTicket.load(ticketId);
    return row && this.toType(row);
  }

  toType(row: AssistanceRow): AssistanceType {
    return new AssistanceType(row, this.clock(), () => this.assistances.reasonOf(row.id));
  }
}
