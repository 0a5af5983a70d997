import type { DecisionStage } from '../../src/features/decisions/decision.words';
import { told } from './answers';
import type { TestApp } from './app';

export const decisionFields = 'id verdict stepUp demandId route validUntil';
export const askDecision = `mutation Ask($input: PaymentDecisionInput!) { paymentDecision(input: $input) { ${decisionFields} } }`;
export const recordStepUp =
  'mutation Record($input: RecordStepUpInput!) { recordStepUp(input: $input) { id state strength openedAt expiresAt } }';

/** Who asks: one of the demo people, or the owner of a token. */
type Who = Parameters<TestApp['as']>[0];

let keysUsed = 0;
export const decisionKey = (): string => {
  keysUsed += 1;
  return `decision-key-${keysUsed}`;
};

/** A payment customer as the provider and we call them, with their link. */
export interface Payer {
  readonly reference: string;
  readonly id: string;
  /** `cus_…`, where a helpdesk customer is linked. */
  readonly customerId: string;
}

export class Pipeline {
  constructor(
    readonly test: TestApp,
    private readonly who: Who = 'pip',
  ) {}

  /** The same questions by somebody else. */
  as(who: Who): Pipeline {
    return new Pipeline(this.test, who);
  }

  input(given: Readonly<Record<string, unknown>> = {}, stage: DecisionStage = 'CHECKOUT') {
    return {
      source: 'demo-pay',
      stage,
      amount: { minorUnits: 1_999, currency: 'EUR' },
      idempotencyKey: decisionKey(),
      ...given,
    };
  }

  /** An answer with its errors. */
  async answer(input: Readonly<Record<string, unknown>>) {
    const { data, errors } = told(await this.test.as(this.who, askDecision, { input }));
    return { decision: data?.paymentDecision ?? null, errors };
  }

  /** A decision that there is. */
  async decide(given: Readonly<Record<string, unknown>>, stage: DecisionStage = 'CHECKOUT') {
    const { decision, errors } = await this.answer(this.input(given, stage));
    expect(errors).toEqual([]);
    return decision as {
      id: string;
      verdict: string;
      stepUp: string | null;
      demandId: string | null;
      route: string | null;
      validUntil: string;
    };
  }

  async record(demandId: string | null, reference: string) {
    const { data, errors } = told(await this.test.as(this.who, recordStepUp, { input: { demandId, reference } }));
    return errors.length > 0 ? errors.map(([, ...rest]) => rest.join(' ')).join() : (data.recordStepUp.state as string);
  }

  /** A demand that a rule opens. */
  async open(customerId: string, restsOn: readonly string[] = ['evt_of_a_verdict']): Promise<string> {
    const { app, clock } = this.test;
    const opened = await app.database.system('signals', 'demand.open', (change) =>
      app.services.stepUps.open(change, {
        customerId,
        origin: { rule: 'card-testing', version: 1 },
        restsOn,
        until: new Date(clock.now().getTime() + 24 * 3_600_000),
      }),
    );
    if (!('id' in opened)) throw new Error('it was refused');
    return opened.id;
  }

  /** The first customers of the demo merchant that are linked for certain, with a device that they paid by. */
  async payers(most: number): Promise<readonly Payer[]> {
    const rows = await this.test.app.database.query<{ id: string; customerId: string; reference: string }>(
      `SELECT p.id, c.id AS customerId, c.reference FROM payment_customer p JOIN helpdesk_customer c ON c.payment_customer_id = p.id
        WHERE c.link = 'VERIFIED' ORDER BY c.reference LIMIT ${most}`,
    );
    return rows.map(({ id, customerId, reference }) => ({
      id,
      customerId,
      reference: `cus_demo_${String(Number(reference.replace(/\D/g, ''))).padStart(6, '0')}`,
    }));
  }

  /** The fingerprint of a device by which a customer paid before. */
  async deviceOf({ reference }: Payer): Promise<string> {
    const found = await this.test.payments.fetchCustomer(reference, new Date(0));
    const paid = found?.transactions.find((each) => each.deviceFingerprint !== null && each.status === 'CAPTURED');
    if (!paid?.deviceFingerprint) throw new Error('they never paid by a device that is known');
    return paid.deviceFingerprint;
  }
}
