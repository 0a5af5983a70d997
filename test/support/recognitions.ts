import type { TransactionStatus } from '../../src/upstream/payments/payments.port';
import type { GraphQLAnswer, TestApp } from './app';
import { type Case, newestToken, Updates, type Wanted } from './credentials';

export const recognitionFields = `id state askedAt expiresAt answeredAt ticket { id } transaction { id status } hold { id state cause effects { kind } }
  confirmation { outcome channel proofs at }`;
export const askCustomer = `mutation Ask($ticketId: ID!, $transactionId: ID!) {
  askCustomer(ticketId: $ticketId, transactionId: $transactionId) { ${recognitionFields} } }`;
const readRecognitions = `query Read($id: ID!) { ticket(id: $id) { recognitions { ${recognitionFields} } } }`;

/** A payment of a customer whose ticket Ana has opened. */
export interface Paid {
  readonly of: Case;
  readonly transactionId: string;
}

/** How questions about payments are lived through in tests: by Ana, who asks, and by the customer, who answers. */
export class Questions {
  readonly updates: Updates;

  constructor(readonly test: TestApp) {
    this.updates = new Updates(test);
  }

  get desk() {
    return this.test.app.services.invitations;
  }

  drain(): Promise<void> {
    return this.test.app.asked.recognitionJobs.drain();
  }

  /** A new payment of the next customer who is as wanted. */
  async paid(status: TransactionStatus = 'AUTHORIZED', wanted: Wanted = {}, order: string | null = null): Promise<Paid> {
    return this.payment(await this.updates.next(wanted), status, order);
  }

  /** One more payment of this customer. */
  async payment(of: Case, status: TransactionStatus = 'AUTHORIZED', order: string | null = null): Promise<Paid> {
    const { reference } = this.test.payments.addTransaction(of.payer, {
      amount: 12_345,
      status,
      orderReference: order === null ? null : 'order-77',
      orderDescription: order,
    });
    await this.test.app.sources.syncAll();
    const [row] = await this.test.app.database.query<{ id: string }>('SELECT id FROM payment_transaction WHERE reference = ?', [
      reference,
    ]);
    if (!row) throw new Error('the payment was not stored');
    return { of, transactionId: row.id };
  }

  ask({ of, transactionId }: Paid, who: Parameters<TestApp['as']>[0] = 'ana'): Promise<GraphQLAnswer> {
    return this.test.as(who, askCustomer, { ticketId: of.ticketId, transactionId });
  }

  /** Asks, which must be possible, and sends the link. Returns the question's id and the customer's token. */
  async asked(paid: Paid): Promise<{ id: string; token: string }> {
    // What others were asked leaves first: the newest mail is this one's.
    await this.drain();
    const answer = await this.ask(paid);
    if (answer.errors) throw new Error(`not asked: ${JSON.stringify(answer.errors)}`);
    await this.drain();
    return { id: answer.data.askCustomer.id as string, token: await newestToken(this.test) };
  }

  /** What the customer sends back: what they were shown, and that they looked at it. */
  async shown(token: string): Promise<string> {
    const view = await this.desk.view(token);
    if (!view) throw new Error('the link is dead');
    return view.shown;
  }

  async yes(token: string) {
    return this.desk.confirm(token, { shown: await this.shown(token), code: '', address: null, agreed: true });
  }

  async no(token: string) {
    return this.desk.refuse(token, await this.shown(token), true);
  }

  /** The questions of a ticket, as Ana reads them. */
  async of({ ticketId }: Case): Promise<GraphQLAnswer> {
    return this.test.as('ana', readRecognitions, { id: ticketId });
  }

  async row(id: string): Promise<Record<string, unknown>> {
    const [row] = await this.test.app.database.query('SELECT * FROM recognition WHERE id = ?', [id]);
    return row ?? {};
  }
}
