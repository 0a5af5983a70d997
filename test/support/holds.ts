import { paymentReferenceOf } from '../../src/development/merchant/history';
import type { HeldSubjects } from '../../src/features/holds/holds.service';
import type { HoldDraft } from '../../src/features/holds/placing';
import { customerOf } from './alerts';
import { ticketIdOf, told } from './answers';
import type { TestApp } from './app';

export const hour = 3_600_000;
export const holdFields = `id state cause reason placedAt expiresAt moneyAtRisk { minorUnits currency } owner { displayName }
  subject { kind customers customer { id } transaction { id } } effects { kind state enforcedBy reversible deadline }
  history { from to reason by { displayName } } ticket { id }`;
export const placeMutation = `mutation Place($input: PlaceHoldInput!) { placeHold(input: $input) { ${holdFields} } }`;
export const approveMutation = `mutation Approve($id: ID!) { approveHold(id: $id) { id state } }`;
export const releaseMutation = `mutation Release($id: ID!, $reason: String = "They called: it was them") { releaseHold(id: $id, reason: $reason) { id state } }`;
export const extendMutation = `mutation Extend($id: ID!, $until: DateTime!, $reason: String = "It takes until tonight") {
  extendHold(id: $id, until: $until, reason: $reason) { id state expiresAt }
}`;
const opens = 'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { assistance { state } } }';
const begin = `mutation($ticketId: ID!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: "Payments of several customers look alike" }) { state }
}`;
const list = `query Holds($filter: HoldFilter) { holds(first: 10, filter: $filter) { totalCount nodes { ${holdFields} } } }`;
export const because = 'The caller says that it was not them';

type Who = Parameters<TestApp['as']>[0];
let keysUsed = 0;

/** What is asked about these customers of the helpdesk before a payment of theirs: who they are at the payment side now, and they. */
export const subjectsOf = async ({ app }: TestApp, customerIds: readonly string[]): Promise<HeldSubjects> => {
  const all = await app.database.query<{ id: string; payer: string | null }>(
    'SELECT id, payment_customer_id AS payer FROM helpdesk_customer',
  );
  const payerIds = all.flatMap(({ id, payer }) => (payer !== null && customerIds.includes(id) ? [payer] : []));
  return { payerIds, customerIds, transactionIds: [], emailDomain: null };
};

/** How holds are lived through in tests. */
export class HeldPayments {
  constructor(readonly test: TestApp) {}

  get provider() {
    return this.test.payments.holds;
  }

  /** Opens a ticket, by which an assistance begins; where it doesn't by itself, asks for one. */
  async open(who: Who, reference: string): Promise<void> {
    if (who === 'sam') {
      const ticketId = await ticketIdOf(this.test, reference);
      const { data, errors } = told(await this.test.as(who, begin, { ticketId }));
      if (data?.beginAssistance?.state !== 'LIVE') throw new Error(JSON.stringify([data, errors]));
      return;
    }
    const { data, errors } = told(await this.test.as(who, opens, { reference }));
    if (data?.ticketByReference?.assistance == null) throw new Error(`no assistance began: ${JSON.stringify(errors)}`);
  }

  in(milliseconds: number): string {
    return new Date(this.test.clock.now().getTime() + milliseconds).toISOString();
  }

  async input(reference: string, given: Readonly<Record<string, unknown>> = {}) {
    keysUsed += 1;
    const idempotencyKey = `hold-key-${keysUsed}`;
    return {
      ticketId: await ticketIdOf(this.test, reference),
      effects: ['REVIEW'],
      until: this.in(hour),
      reason: because,
      idempotencyKey,
      ...given,
    };
  }

  async place(who: Who, reference: string, given: Readonly<Record<string, unknown>> = {}) {
    return told(await this.test.as(who, placeMutation, { input: await this.input(reference, given) }));
  }

  /** The id of a hold that was placed. */
  async placed(who: Who, reference: string, given: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { data, errors } = await this.place(who, reference, given);
    if (!data?.placeHold) throw new Error(JSON.stringify(errors));
    return data.placeHold.id;
  }

  /** A hold as somebody is shown it; undefined where they don't reach it. */
  async shown(who: Who, id: string) {
    const { data } = await this.test.as(who, list);
    return data.holds.nodes.find((each: { id: string }) => each.id === id);
  }

  async ids(who: Who, filter: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> {
    const { data, errors } = await this.test.as(who, list, { filter });
    if (!data) throw new Error(JSON.stringify(errors));
    return data.holds.nodes.map(({ id }: { id: string }) => id);
  }

  /** Does what is due at providers. */
  drain(): Promise<void> {
    return this.test.app.services.holdJobs.drain();
  }

  async wait(milliseconds: number): Promise<void> {
    this.test.clock.forward(milliseconds);
    await this.drain();
  }

  /** What a gateway does every few seconds. */
  async sweep(): Promise<void> {
    const { recurring } = (
      Reflect.get(this.test.app, 'parts') as { risk: { holds: { recurring: readonly (() => Promise<unknown>)[] } } }
    ).risk.holds;
    for (const turn of recurring) await turn();
  }

  /** What was executed at the provider, in order. */
  get executed(): readonly string[] {
    return this.provider.executions.map(({ action }) => action);
  }

  /** The state and how far each effect is, as they are stored. */
  async stored(id: string): Promise<string> {
    const { database } = this.test.app;
    const [hold] = await database.query<{ state: string }>('SELECT state FROM payment_hold WHERE id = ?', [id]);
    const effects = await database.query<{ kind: string; state: string; enforced_by: string }>(
      'SELECT kind, state, enforced_by FROM payment_hold_effect WHERE hold_id = ? ORDER BY kind',
      [id],
    );
    return [hold?.state, ...effects.map(({ kind, state, enforced_by: by }) => `${kind} ${state} ${by}`)].join(', ');
  }

  /** A payment of a ticket's customer that is authorized and not captured. */
  async authorized(
    number: number,
    amount = 4_200,
  ): Promise<{ readonly id: string; readonly payer: string; readonly reference: string }> {
    const payer = paymentReferenceOf(number);
    const { reference } = this.test.payments.addTransaction(payer, { amount, status: 'AUTHORIZED' });
    await this.test.app.sources.syncAll();
    const [row] = await this.test.app.database.query<{ id: string }>('SELECT id FROM payment_transaction WHERE reference = ?', [
      reference,
    ]);
    if (!row) throw new Error('the payment was not stored');
    return { id: row.id, payer, reference };
  }

  /** What a rule wants of the customer of a ticket. */
  async draft(reference: string, given: Partial<HoldDraft> = {}): Promise<HoldDraft> {
    return {
      key: `rule ${reference}`,
      cause: 'RULE',
      isProposal: false,
      ticketId: await ticketIdOf(this.test, reference),
      customerIds: [await customerOf(this.test, reference)],
      transactionId: null,
      emailDomain: null,
      effects: ['REVIEW'],
      until: new Date(this.test.clock.now().getTime() + 6 * hour),
      rule: 'recovery-then-payment',
      ruleVersion: 1,
      restsOn: ['demo-pay/evt_1'],
      reason: null,
      ...given,
    };
  }

  /** What a rule does when it fires. Returns the hold's id. */
  async byRule(reference: string, given: Partial<HoldDraft> = {}): Promise<string> {
    const draft = await this.draft(reference, given);
    const { app } = this.test;
    const outcome = await app.database.system('worker', draft.isProposal ? 'hold.propose' : 'hold.place', (change) =>
      app.services.holds.place(change, draft),
    );
    if ('refused' in outcome) throw new Error(outcome.refused);
    return outcome.id;
  }
}
