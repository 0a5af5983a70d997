import { createHash } from 'node:crypto';
import { canonicalize } from '../../audit/canonical';
import type { Database } from '../../db/database';
import { type Sql, sql } from '../../db/sql';
import type { Holds } from '../holds/holds.service';
import { dead, type InvitationAnswer, type InvitationInput, again as notYet } from '../invitations/invitation.view';
import { type Answering, Links, type Reader } from '../invitations/links';
import { CustomerSeal } from '../keys/customer-seal';
import type { Keys } from '../keys/keys.service';
import { lockTicket } from '../tickets/tickets.lock';
import { Recognition, recognitions } from './recognition.entity';
import { enqueue, factsOf } from './recognition.moves';
import { recognitionActions } from './recognition.policy';
import { type AskedRow, askedRows, link, linkedRecognitions, recognition, recognitionIds } from './recognition.rows';
import { askedPaymentSchema, type RecognitionDesk, type RecognitionField, type RecognitionView } from './recognition.view';

/** A question as its customer is asked it. */
interface Asked {
  readonly row: AskedRow;
  readonly view: RecognitionView;
}

type Answer = InvitationAnswer<RecognitionView, RecognitionField>;
const again = notYet<RecognitionView, RecognitionField>;

export interface AnsweringParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly holds: Pick<Holds, 'place'>;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
  readonly clock: () => Date;
  /** There is something to deliver. */
  readonly wake: () => void;
}

/** How long what a customer disowned is held at most, milliseconds; whoever decides about it until then does so by themselves. */
const heldFor = 24 * 3_600_000;

/** The customer's side of a question. A token opens it for as long as it can be answered, and for nothing else. */
export class RecognitionAnswers implements RecognitionDesk {
  private readonly links: Links<Recognition, Asked>;

  constructor(private readonly parts: AnsweringParts) {
    const { database, keys } = parts;
    this.links = new Links({
      database,
      keys,
      purpose: 'RECOGNITION',
      links: { rows: linkedRecognitions, tokenDigest: link.tokenDigest },
      asked: (reader, isLink, now) => this.askedAbout(reader, isLink, now),
      subjectOf: ({ row }) => row.id,
      lock: async (change, id) => {
        const [known] = await change.read(recognitionIds, sql`WHERE ${recognition.id} = ${id}`);
        // The ticket first, as everywhere.
        if (known) await lockTicket(change, known.ticketId);
        return change.lock(Recognition, { id });
      },
    });
  }

  async view(token: string): Promise<RecognitionView | null> {
    const { database, clock } = this.parts;
    return (await this.links.follow(database, token, clock()))?.view ?? null;
  }

  /** No code is asked for: what is shown was shown by then. */
  async sendCode(token: string): Promise<Answer> {
    const view = await this.view(token);
    return view ? again(view, []) : dead;
  }

  confirm(token: string, { shown, agreed }: InvitationInput): Promise<Answer> {
    return this.answer(token, 'RECOGNIZED', { shown, agreed });
  }

  /** A no takes as much as a yes: it holds a payment. */
  refuse(token: string, shown: string, agreed?: boolean): Promise<Answer> {
    return this.answer(token, 'DISOWNED', { shown, agreed });
  }

  private async answer(
    token: string,
    said: 'RECOGNIZED' | 'DISOWNED',
    { shown, agreed }: { readonly shown: string; readonly agreed: boolean | undefined },
  ): Promise<Answer> {
    const answer = await this.links.answer(token, recognitionActions.answer, async (answering): Promise<Answer> => {
      const { view } = answering.asked;
      if (shown !== view.shown)
        return again(view, [[null, 'What is asked has changed since this page was made. Read it again before you answer.']]);
      if (agreed !== true) return again(view, [['agreed', 'Tick the box if you looked at this payment yourself, then answer.']]);
      await this.keep(answering, said);
      return said === 'DISOWNED' ? { outcome: 'refused', view } : { outcome: 'confirmed', view, waitsForApproval: false };
    });
    this.parts.wake();
    return answer;
  }

  /** The customer's own act: what they were shown and said, and what a no leads to, in one change. */
  private async keep({ change, row, asked }: Answering<Recognition, Asked>, said: 'RECOGNIZED' | 'DISOWNED'): Promise<void> {
    const { keys } = this.parts;
    const seal = await CustomerSeal.of(change, keys, row.customerId);
    const text = canonicalize({ shown: decidedOn(asked.view), said });
    row.state = said;
    row.answeredAt = change.at;
    row.shownDigest = seal.digest(text);
    row.shownSealed = seal.seal(recognitions, row.id, 'shown', text);
    if (said === 'DISOWNED') {
      const placed = await this.parts.holds.place(change, {
        key: row.id,
        cause: 'CUSTOMER',
        isProposal: false,
        ticketId: row.ticketId,
        customerIds: [row.customerId],
        transactionId: row.transactionId,
        emailDomain: null,
        effects: ['DEFER_CAPTURE', 'HOLD_ORDER', 'BLOCK_NEW'],
        until: new Date(change.at.getTime() + heldFor),
        rule: null,
        ruleVersion: null,
        restsOn: [row.id, row.ticketId],
        reason: null,
      });
      row.holdId = 'id' in placed ? placed.id : null;
    }
    await change.save(row);
    change.record('recognition.answer', {
      ...factsOf(row, seal),
      detail: { answer: said, channel: 'MAIL', proofs: ['link'], shown: row.shownDigest, hold: row.holdId },
    });
    await enqueue(change, row.id, 'OUTCOME');
  }

  /** What a link leads to, while it can be answered. */
  private async askedAbout(reader: Reader, isLink: Sql, now: Date): Promise<Asked | null> {
    const { keys, merchant } = this.parts;
    const [row] = await reader.read(askedRows, sql`WHERE ${isLink}`);
    if (row?.state !== 'ASKED' || row.expiresAt <= now || row.linkExpiresAt <= now) return null;
    const text = keys.open(recognitions, row, 'payment');
    // Erased meanwhile.
    if (text === null) return null;
    const decided = {
      kind: 'PAYMENT',
      merchant,
      ticket: row.ticketReference,
      askedBy: row.askedBy,
      payment: askedPaymentSchema.parse(JSON.parse(text)),
    } as const;
    const digest = createHash('sha256').update(canonicalize(decided)).digest('hex');
    return { row, view: { ...decided, expiresAt: row.expiresAt, code: null, shown: digest } };
  }
}

/** What the customer decided on, of all that the page shows. */
const decidedOn = ({ kind, merchant, ticket, askedBy, payment }: RecognitionView) => ({
  kind,
  merchant,
  ticket,
  askedBy,
  payment,
});
