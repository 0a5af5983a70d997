import DataLoader from 'dataloader';
import type { SignedInActor } from '../../authz/actor';
import { isSamePerson } from '../../authz/same-person';
import type { Keys } from '../keys/keys.service';
import type { Loading } from '../loading';
import type { TicketType } from '../tickets/ticket.type';
import type { Tickets } from '../tickets/tickets.service';
import { CredentialUpdateType, TransitionType } from './credential-update.type';
import { requesterOf } from './credentials.policy';
import type { CredentialUpdateRow, TransitionRow } from './credentials.rows';
import type { Credentials } from './credentials.service';

export interface CredentialsLoaderParts {
  readonly credentials: Credentials;
  readonly tickets: Tickets;
  readonly keys: Keys;
}

/** Updates and their histories, each relation of a level in one statement. */
export class CredentialsLoader {
  private readonly byTicket: DataLoader<string, readonly CredentialUpdateType[]>;
  private readonly tickets: DataLoader<string, TicketType | null>;
  private readonly histories: DataLoader<string, readonly TransitionRow[]>;

  constructor(
    private readonly actor: SignedInActor,
    private readonly parts: CredentialsLoaderParts,
    loading: Loading,
  ) {
    const { credentials, tickets } = parts;
    this.tickets = new DataLoader(async (ids) => {
      const found = new Map((await tickets.reachable(actor, ids, loading.fields())).map((ticket) => [ticket.id, ticket]));
      return ids.map((id) => found.get(id) ?? null);
    });
    this.byTicket = new DataLoader(
      async (ticketIds) => (await credentials.ofTickets(ticketIds)).map((rows) => rows.map((row) => this.toType(row))),
      { maxBatchSize: 100 },
    );
    this.histories = new DataLoader((ids) => credentials.historyOf(ids));
  }

  ofTicket(ticketId: string): Promise<readonly CredentialUpdateType[]> {
    return this.byTicket.load(ticketId);
  }

  /** Null where the ticket has left the reader's scope meanwhile. */
  ticket(id: string): Promise<TicketType | null> {
    return this.tickets.load(id);
  }

  async historyOf(update: CredentialUpdateType): Promise<readonly TransitionType[]> {
    return (await this.histories.load(update.id)).map((row) => new TransitionType(update, row));
  }

  readonly toType = (row: CredentialUpdateRow): CredentialUpdateType =>
    new CredentialUpdateType(
      row,
      this.parts.keys,
      this.parts.credentials.isForDecisionOf(this.actor, row),
      isSamePerson(this.actor, requesterOf(row).requester),
    );
}
