import DataLoader from 'dataloader';
import type { SignedInActor } from '../../authz/actor';
import { isSamePerson } from '../../authz/same-person';
import type { RequestAccess } from '../../graphql/request-access';
import type { Keys } from '../keys/keys.service';
import type { Loading } from '../loading';
import type { PaymentMethodType } from '../payments/payment.type';
import type { TicketType } from '../tickets/ticket.type';
import type { Tickets } from '../tickets/tickets.service';
import { CredentialUpdateType, TransitionType } from './credential-update.type';
import { requesterOf } from './credentials.policy';
import type { CredentialUpdateRow, TransitionRow } from './credentials.rows';
import { type Credentials, newestOfTicket } from './credentials.service';
import type { UpdateOffers } from './offers.service';
import type { UpdateOffer } from './update-offer.type';

const newestFirst = ({ row: one }: CredentialUpdateType, { row: other }: CredentialUpdateType): number =>
  other.createdAt.getTime() - one.createdAt.getTime() || (one.id < other.id ? 1 : -1);

export interface CredentialsLoaderParts {
  readonly credentials: Credentials;
  readonly tickets: Tickets;
  readonly keys: Keys;
  readonly offers: UpdateOffers;
}

/** Updates and their histories, each relation of a level in one statement. */
export class CredentialsLoader {
  private readonly byTicket: DataLoader<string, readonly CredentialUpdateType[]>;
  private readonly byRules: DataLoader<string, readonly CredentialUpdateType[]>;
  private readonly tickets: DataLoader<string, TicketType | null>;
  private readonly histories: DataLoader<string, readonly TransitionRow[]>;
  private readonly offers: DataLoader<PaymentMethodType, readonly UpdateOffer[]>;

  constructor(
    private readonly actor: SignedInActor,
    private readonly parts: CredentialsLoaderParts,
    loading: Loading,
  ) {
    const { credentials, tickets, offers } = parts;
    this.tickets = new DataLoader(async (ids) => {
      const found = new Map((await tickets.reachable(actor, ids, loading.fields())).map((ticket) => [ticket.id, ticket]));
      return ids.map((id) => found.get(id) ?? null);
    });
    this.byTicket = new DataLoader(
      async (ticketIds) => (await credentials.ofTickets(ticketIds)).map((rows) => rows.map((row) => this.toType(row))),
      { maxBatchSize: 100 },
    );
    this.byRules = new DataLoader(
      async (customerIds) => (await credentials.byRules(customerIds)).map((rows) => rows.map((row) => this.toType(row))),
      { maxBatchSize: 100 },
    );
    this.offers = new DataLoader((methods) => offers.ofMethods(actor, methods), { maxBatchSize: 100 });
    this.histories = new DataLoader((ids) => credentials.historyOf(ids));
  }

  /** Those of a ticket; under an assistance on it also what rules asked of its customer, which is on none. */
  async ofTicket({ id, customerId }: TicketType, access: RequestAccess): Promise<readonly CredentialUpdateType[]> {
    const own = await this.byTicket.load(id);
    if (customerId === null || access.onTicket(id, customerId) === undefined) return own;
    const byRules = await this.byRules.load(customerId);
    return byRules.length === 0 ? own : [...own, ...byRules].sort(newestFirst).slice(0, newestOfTicket);
  }

  /** Null where it is on none, or the ticket has left the reader's scope meanwhile. */
  async ticket(id: string | null): Promise<TicketType | null> {
    return id === null ? null : this.tickets.load(id);
  }

  offersOf(method: PaymentMethodType): Promise<readonly UpdateOffer[]> {
    return this.offers.load(method);
  }

  async historyOf(update: CredentialUpdateType): Promise<readonly TransitionType[]> {
    return (await this.histories.load(update.id)).map((row) => new TransitionType(update, row));
  }

  readonly toType = (row: CredentialUpdateRow): CredentialUpdateType => {
    const { requester } = requesterOf(row);
    const isByReader = requester !== null && isSamePerson(this.actor, requester);
    return new CredentialUpdateType(row, this.parts.keys, this.parts.credentials.forDecision(this.actor, row), isByReader);
  };
}
