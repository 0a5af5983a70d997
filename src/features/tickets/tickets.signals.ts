import type { Change } from '../../db/change';
import type { Signal, Subjects } from '../../risk/signal';
import { recordSignals } from '../signals/recorder';
import { daysKept } from '../signals/retention';

/** What happened longer ago than this, in milliseconds, belongs to no day that is kept. */
const oldest = daysKept * 86_400_000;

/** A ticket as far as signals are about it. */
interface ToldTicket {
  readonly id: string;
  readonly customerId: string | null;
  readonly team: string | null;
}

/** A message that is stored for the first time. */
interface ToldMessage {
  readonly id: string;
  readonly authorKind: 'STAFF' | 'CUSTOMER' | 'SYSTEM';
  readonly authorStaffId: string | null;
  readonly createdAt: Date;
}

/** What tickets of one helpdesk tell: who wrote, who answered, and which is closed. Stored with the tickets. */
export class TicketSignals {
  private readonly told: Signal[] = [];

  constructor(
    private readonly source: string,
    private readonly now: Date,
  ) {}

  closed(ticket: ToldTicket, revision: number, at: Date): void {
    this.tell(`${ticket.id}:closed:${revision}`, 'ticket.closed', at, this.subjectsOf(ticket));
  }

  /** A message says nothing more here than who wrote it, and when. */
  wrote(ticket: ToldTicket, { id, authorKind, authorStaffId, createdAt }: ToldMessage): void {
    if (authorKind === 'CUSTOMER') this.tell(id, 'ticket.contact', createdAt, this.subjectsOf(ticket));
    if (authorKind === 'STAFF' && authorStaffId !== null)
      this.tell(id, 'staff.reply', createdAt, { ...this.subjectsOf(ticket), staff: authorStaffId });
  }

  async store(change: Change): Promise<void> {
    await recordSignals(change, this.told);
  }

  private tell(id: string, type: Signal['type'], occurredAt: Date, subjects: Subjects): void {
    if (this.now.getTime() - occurredAt.getTime() <= oldest)
      this.told.push({ source: this.source, id, type, occurredAt, subjects, facts: {} });
  }

  private subjectsOf({ id, customerId, team }: ToldTicket): Subjects {
    return {
      ticket: id,
      ...(customerId === null ? {} : { customer: customerId }),
      // As columns of signals hold it.
      ...(team === null ? {} : { team: team.slice(0, 64) }),
    };
  }
}
