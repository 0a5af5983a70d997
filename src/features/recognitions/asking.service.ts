import type { SignedInActor } from '../../authz/actor';
import type { RecognitionPolicy } from '../../authz/policy/file';
import type { UpdatePolicy } from '../../authz/policy/update-policy';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { Failure, ProgrammingError } from '../../failure';
import { ulid } from '../../ulid';
import type { TicketSubject } from '../assistance/assistance.policy';
import type { Assistances } from '../assistance/assistance.service';
import { useAssistance } from '../assistance/live';
import { type AskedCustomer, readAskedCustomer } from '../invitations/asked-customer';
import { CustomerSeal } from '../keys/customer-seal';
import type { Keys } from '../keys/keys.service';
import { ageIsUnknown, changedLately } from '../payments/contact-age';
import { transactions } from '../payments/payment.entity';
import { type PayerRow, transaction } from '../payments/payments.rows';
import { isPending } from '../payments/pending';
import type { Sources } from '../sources/sources.service';
import type { Ticket } from '../tickets/ticket.entity';
import { lockTicket } from '../tickets/tickets.lock';
import { ticketReferenceRows, ticket as tickets } from '../tickets/tickets.rows';
import type { InScope } from '../tickets/tickets.scope';
import { Recognition, recognitions } from './recognition.entity';
import { enqueue, factsOf } from './recognition.moves';
import { type AskSubject, recognitionActions } from './recognition.policy';
import { type AskableRow, askableRows, recognition, recognitionCounts } from './recognition.rows';
import type { AskedPayment } from './recognition.view';

const hour = 3_600_000;
const day = 24 * hour;

export interface AskingParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Pick<Sources, 'refreshPayments'>;
  readonly assistances: Assistances;
  readonly policy: RecognitionPolicy;
  /** By which a contact counts as changed lately. */
  readonly updates: UpdatePolicy;
  /** Ways to a customer that are configured. */
  readonly channels: { readonly mail: boolean };
  /** There is something to deliver. */
  readonly wake: () => void;
}

/** Questions as staff ask them. */
export class Asking {
  constructor(private readonly parts: AskingParts) {}

  /** Whether the actor may ask on the ticket as it is stored, before its helpdesk is asked how it is now; `ask` judges again. Throws `DENIED`. */
  async expectMayAsk(ticket: InScope<Ticket>, transactionId: string): Promise<void> {
    await this.knownOrPermitted(ticket, transactionId, { isFresh: true });
  }

  /**
   * Asks the customer whether a pending payment is theirs; one that they are being asked about on this ticket, or have answered there, is
   * what it was. Returns the question's id. Throws `NOT_FOUND` (a payment outside the ticket's customer), `DENIED`, `CONFLICT`.
   */
  async ask(ticket: InScope<Ticket>, transactionId: string): Promise<string> {
    const { database, sources, wake } = this.parts;
    const known = await this.knownOrPermitted(ticket, transactionId);
    if (known !== null) return known;
    // Whether it is still pending the provider says; where it doesn't answer, what was last read counts.
    const [about] = await database.read(ticketReferenceRows, sql`WHERE ${tickets.id} = ${ticket.id}`);
    if (about?.customerId) await sources.refreshPayments(about.customerId);
    const id = await database.change(ticket.actor, recognitionActions.ask, async (change, permit) => {
      // The ticket first, as everywhere: of twins that come at once the second one finds what the first one wrote.
      const locked = await lockTicket(change, ticket.id);
      const asked = await readAskedCustomer(change, this.parts.keys, ticket.actor, locked);
      const before = await change.lockIfAny(Recognition, { askedKey: transactionId });
      const isKnown = before !== null && isOn(before, locked);
      permit(await this.subjectOf(change, locked, asked, isKnown));
      if (isKnown) return before.id;
      return this.newQuestion(change, locked, { actor: ticket.actor, asked, transactionId, isTaken: before !== null });
    });
    wake();
    return id;
  }

  /**
   * Before a provider is asked anything: the question that is there already, or null where the actor may ask one. Whether there is a link,
   * and whose the contact is, the provider says better than what was last read: that is judged afterwards, with everything else once more.
   */
  private knownOrPermitted(
    { actor, id }: InScope<Ticket>,
    transactionId: string,
    judged: Partial<TicketSubject> = {},
  ): Promise<string | null> {
    return this.parts.database.change(actor, recognitionActions.ask, async (change, permit) => {
      const ticket = await lockTicket(change, id);
      const asked = await readAskedCustomer(change, this.parts.keys, actor, ticket);
      const before = await change.lockIfAny(Recognition, { askedKey: transactionId });
      const isKnown = before !== null && isOn(before, ticket);
      const subject = await this.subjectOf(change, ticket, asked, isKnown);
      permit({ ...subject, ticket: { ...subject.ticket, ...judged }, isVerified: true, isTheirContact: true });
      return isKnown ? before.id : null;
    });
  }

  private async subjectOf(change: Change, ticket: Ticket, asked: AskedCustomer, isKnown: boolean): Promise<AskSubject> {
    const { assistances, policy } = this.parts;
    const { payer, assistanceId } = asked;
    const since = change.at.getTime() - day;
    const [counted] =
      // What was asked before is asked of nobody again.
      isKnown || ticket.customerId === null
        ? []
        : await change.read(
            recognitionCounts,
            sql`WHERE ${recognition.customerId} = ${ticket.customerId} AND ${recognition.askedAt} > ${since}`,
          );
    return {
      ticket: await assistances.subjectOf(change, ticket),
      isAssisted: assistanceId !== null,
      isVerified: isKnown || payer?.link === 'VERIFIED',
      isTheirContact: isKnown || (payer !== null && this.isTheirs(payer, asked, change.at)),
      askedToday: counted?.n ?? 0,
      mostPerDay: policy.perCustomerPerDay,
    };
  }

  /** Whoever put their own address there would be shown the payment, and answer in the customer's name. */
  private isTheirs(payer: PayerRow, { contactStaffIds }: AskedCustomer, at: Date): boolean {
    const { contactWindowDays } = this.parts.updates.highRisk;
    const age = { changedAt: payer.emailChangedAt, seenSince: payer.emailSeenSince };
    return (
      contactStaffIds.length === 0 && !changedLately(age, contactWindowDays, at) && !ageIsUnknown(age, contactWindowDays, at)
    );
  }

  private async newQuestion(
    change: Change,
    ticket: Ticket,
    {
      actor,
      asked,
      transactionId,
      isTaken,
    }: {
      readonly actor: SignedInActor;
      readonly asked: AskedCustomer;
      readonly transactionId: string;
      /** It is asked about on another ticket, or was answered there. */
      readonly isTaken: boolean;
    },
  ): Promise<string> {
    const { keys, policy, channels } = this.parts;
    const { payer, assistanceId, staffId } = asked;
    const { customerId } = ticket;
    if (customerId === null || payer === null || assistanceId === null)
      throw new ProgrammingError('a question was permitted without its customer or without an assistance');
    const [payment] = await change.read(
      askableRows,
      sql`WHERE ${transaction.id} = ${transactionId} AND ${transaction.paymentCustomerId} = ${payer.id}`,
    );
    const seal = await CustomerSeal.of(change, keys, customerId);
    if (!payment || seal.key === null) throw Failure.notFound('transaction');
    // What must still hold when this commits is written to: whoever ends the assistance meanwhile makes this find nothing.
    if (!(await useAssistance(change, assistanceId)))
      throw Failure.denied('ASSISTANCE_ENDED', recognitionActions.ask.name, ticket.id);
    if (isTaken)
      throw new Failure('CONFLICT', 'The customer is asked about this payment on another ticket, or answered there.', {
        remedy: 'Look at the customer’s other tickets.',
      });
    if (!isPending(payment))
      throw new Failure('CONFLICT', 'This payment is not pending.', {
        remedy: 'Customers are asked while a payment can still be stopped.',
      });
    if (!payer.emailDigest || !payer.emailSealed || !channels.mail)
      throw new Failure('CONFLICT', 'The payment side holds no e-mail address of this customer, or none can be sent.', {
        remedy: 'The question goes only to an address that the payment side holds; it is added there.',
      });
    const id = `rcg_${ulid(change.at.getTime())}`;
    const expiresAt = new Date(change.at.getTime() + policy.linkHours * hour);
    await change.insert(recognitions, {
      id,
      state: 'ASKED',
      ticketId: ticket.id,
      customerId,
      assistanceId,
      paymentCustomerId: payer.id,
      transactionId,
      askedById: actor.id,
      askedByStaffId: staffId,
      askedByStaffIds: actor.staffIds,
      keyId: seal.key.id,
      paymentSealed: seal.seal(recognitions, id, 'payment', JSON.stringify(this.paymentOf(payment))),
      mailDigest: payer.emailDigest,
      askedAt: change.at,
      expiresAt,
      sentAt: null,
      answeredAt: null,
      failure: null,
      shownDigest: null,
      shownSealed: null,
      holdId: null,
      askedKey: transactionId,
    });
    change.record('recognition.ask', {
      ...factsOf({ id, ticketId: ticket.id, assistanceId }, seal),
      detail: {
        transaction: transactionId,
        payer: payer.id,
        staff: staffId,
        staffRows: actor.staffIds,
        until: expiresAt.toISOString(),
        restsOn: [ticket.id, assistanceId],
      },
    });
    await enqueue(change, id, 'LINK');
    return id;
  }

  private paymentOf(payment: AskableRow): AskedPayment {
    const { amount, currency, createdAt, brand, last4 } = payment;
    const order = this.parts.keys.open(transactions, payment, 'orderDescription');
    return { minorUnits: amount, currency, at: createdAt.toISOString(), brand, last4, order };
  }
}

const isOn = (known: Recognition, { id, customerId }: Ticket): boolean =>
  known.ticketId === id && known.customerId === customerId;
