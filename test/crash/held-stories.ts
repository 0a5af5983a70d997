import { setTimeout as pause } from 'node:timers/promises';
import { cardOf, type StripeShapedServer } from '../support/stripe-shaped-server';
import type { Random } from './random';
import { sendSignals } from './send-signals';
import type { Answer, Person, World } from './world';

export const storyKinds = ['release', 'extend', 'expire', 'approve', 'reject', 'no', 'yes', 'step-up'] as const;
export type StoryKind = (typeof storyKinds)[number];

/** What of a story there is to look for afterwards. */
export interface Lived {
  readonly kind: StoryKind;
  readonly person: Person;
  /** The hold that it was about. */
  readonly holdId: string | null;
  /** What that, or the question, came to. */
  readonly state: string;
  readonly questionId?: string;
  readonly demandId?: string;
  /** What the pipeline was told once the step-up was recorded. */
  readonly verdict?: string;
}

export interface Story {
  readonly kind: StoryKind;
  readonly person: Person;
  /** No other story has it. */
  readonly number: number;
  /** Which of this kind, from 0: 1 at most. */
  readonly turn: number;
  readonly luck: Random;
}

const placeHold = 'mutation($input: PlaceHoldInput!) { placeHold(input: $input) { id } }';
const releaseHold = 'mutation($id: ID!) { releaseHold(id: $id, reason: "They called: it was them") { id } }';
const approveHold = 'mutation($id: ID!) { approveHold(id: $id) { id } }';
const extendHold =
  'mutation($id: ID!, $until: DateTime!) { extendHold(id: $id, until: $until, reason: "It takes until tonight") { id } }';
const askCustomer =
  'mutation($ticketId: ID!, $transactionId: ID!) { askCustomer(ticketId: $ticketId, transactionId: $transactionId) { id } }';
const paymentDecision = 'mutation($input: PaymentDecisionInput!) { paymentDecision(input: $input) { verdict demandId } }';
const recordStepUp = 'mutation($input: RecordStepUpInput!) { recordStepUp(input: $input) { id state } }';

const inMilliseconds = (milliseconds: number): string => new Date(Date.now() + milliseconds).toISOString();
const hour = 3_600_000;
/** Of the payments that each customer has: of two that they will know, and two that they won’t. */
const amounts = [4_200, 4_201, 4_202, 4_203];

const until = async <T>(what: string, look: () => Promise<T | null>, seconds = 60): Promise<T> => {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await pause(100)) {
    const found = await look();
    if (found !== null) return found;
  }
  throw new Error(`waited in vain: ${what}`);
};

/** What each customer has at the provider: payments that wait to be captured, and a subscription, whose id it returns. */
export const furnish = (provider: StripeShapedServer, payer: string): string => {
  const method = provider.attachPaymentMethod(payer).id;
  const subscription = provider.createSubscription(payer, {
    default_payment_method: method,
    current_period_end: provider.now + 86_400,
  }).id;
  for (const amount of amounts) {
    const payment = provider.createPaymentIntent({
      customer: payer,
      payment_method: method,
      amount,
      amount_capturable: amount,
      capture_method: 'manual',
      status: 'requires_capture',
    }).id;
    const card = { ...cardOf(), capture_before: provider.now + 7 * 86_400 };
    const charge = provider.createCharge({
      customer: payer,
      amount,
      captured: false,
      payment_intent: payment,
      payment_method: method,
      payment_method_details: { type: 'card', card },
    }).id;
    provider.updatePaymentIntent(payment, 'payment_intent.amount_capturable_updated', { latest_charge: charge });
  }
  return subscription;
};

/** What those whom a story is about do, each of whom asks again where no answer came. */
class Living {
  constructor(
    private readonly world: World,
    readonly story: Story,
  ) {}

  private get key(): string {
    return `held-story-${this.story.number}`;
  }

  /** Of the payment that the customer of this story is asked about. */
  private get amount(): number {
    const { kind, turn } = this.story;
    return amounts[turn + (kind === 'no' ? 2 : 0)] as number;
  }

  /** Its answer. Throws where it was refused. */
  async act<T>(who: string, query: string, variables: Readonly<Record<string, unknown>>): Promise<T> {
    const answer = await this.world.graph(who, query, variables);
    return expectAnswer(answer, `${this.story.kind} by ${who}`) as T;
  }

  async place(effects: readonly string[], lasts = hour): Promise<string> {
    const { ticketId } = this.story.person;
    const reason = 'The caller says that it was not them';
    for (let tries = 0; ; tries += 1) {
      const input = { ticketId, effects, until: inMilliseconds(lasts), reason, idempotencyKey: `${this.key}-${tries}` };
      const answer = await this.world.graph('ana', placeHold, { input });
      // The gateway was away until its time was over.
      const isLate = lasts < hour && answer.errors?.some(({ extensions }) => extensions.code === 'INVALID') === true;
      if (!isLate || tries > 20) return (expectAnswer(answer, 'placing') as { placeHold: { id: string } }).placeHold.id;
    }
  }

  release(who: string, id: string): Promise<unknown> {
    return this.act(who, releaseHold, { id });
  }

  stateOf(id: string, ...states: readonly string[]): Promise<string> {
    return until(`hold ${id} becomes ${states.join(' or ')}`, async () => {
      const [row] = await this.world.query<{ state: string }>(`SELECT state FROM payment_hold WHERE id = '${id}'`);
      return row && states.includes(row.state) ? row.state : null;
    });
  }

  /** What a rule proposes after an account was recovered and its contact was changed, twice. */
  async proposed(): Promise<string> {
    const { person, number } = this.story;
    const occurredAt = (ago: number) => new Date(Date.now() - ago * 1_000).toISOString();
    const subjects = { customer: person.payer, device: `new-device-${number}` };
    const signals = [
      { type: 'account.recovery', occurredAt: occurredAt(9), facts: {} },
      { type: 'credential.changed', occurredAt: occurredAt(6), facts: { change: 'contact' } },
      { type: 'credential.changed', occurredAt: occurredAt(3), facts: { change: 'contact' } },
    ].map((each, index) => ({ ...each, id: `story-${number}-${index}`, subjects }));
    await until('the signals are taken', async () => {
      const status = await sendSignals(this.world.gateway.address, 'shop', signals, 5_000);
      if (status !== null && status !== 202 && status < 500) throw new Error(`a sender was told ${status}`);
      return status === 202 ? status : null;
    });
    return until(`a proposal on ${person.ticketReference}`, async () => {
      const [row] = await this.world.query<{ id: string }>(
        `SELECT id FROM payment_hold WHERE ticket_id = '${person.ticketId}' AND cause = 'RULE'`,
      );
      return row?.id ?? null;
    });
  }

  /** The question about the payment. */
  async asked(): Promise<string> {
    const { person } = this.story;
    const transactionId = await until(`payment ${this.amount} of ${person.ticketReference}`, async () => {
      const rows = await this.world.query<{ id: string }>(
        `SELECT x.id FROM payment_transaction x JOIN helpdesk_customer c ON c.payment_customer_id = x.payment_customer_id
           JOIN helpdesk_ticket t ON t.customer_id = c.id WHERE t.id = '${person.ticketId}' AND x.amount = ${this.amount}`,
      );
      return rows[0]?.id ?? null;
    });
    const { askCustomer: question } = await this.act<{ askCustomer: { id: string } }>('ana', askCustomer, {
      ticketId: person.ticketId,
      transactionId,
    });
    return question.id;
  }

  /** The customer opens every link that they have, and answers those that ask about this payment; whatever is lost on the way, they do again. */
  answered(questionId: string, answer: 'confirm' | 'refuse'): Promise<{ state: string; holdId: string | null }> {
    const { world, story } = this;
    return until(`question ${questionId} is answered`, async () => {
      const [row] = await world.query<{ state: string; holdId: string | null }>(
        `SELECT state, hold_id AS holdId FROM recognition WHERE id = '${questionId}'`,
      );
      if (row && row.state !== 'ASKED') return row;
      for (const token of world.tokensFor(story.person)) {
        const page = await world.page(`/confirm/${token}`);
        const shown = /name="shown" value="([0-9a-f]+)"/.exec(page?.html ?? '')?.[1];
        const isAbout = page?.html.includes((this.amount / 100).toFixed(2)) === true;
        if (shown !== undefined && isAbout) await world.page(`/confirm/${token}`, { answer, shown, agreed: 'yes' });
      }
      return null;
    });
  }

  private async decided(attempt: string): Promise<{ verdict: string; demandId: string | null }> {
    const input = {
      source: 'stripe',
      stage: 'CHECKOUT',
      customer: this.story.person.payer,
      amount: { minorUnits: 1_999, currency: 'EUR' },
      idempotencyKey: `${this.key}-${attempt}`,
    };
    const { paymentDecision: decision } = await this.act<{ paymentDecision: { verdict: string; demandId: string | null } }>(
      'pip',
      paymentDecision,
      { input },
    );
    return decision;
  }

  /** A challenge that the customer completed at the provider, whose reference the pipeline records; then it asks anew. */
  async steppedUp(): Promise<{ demandId: string; state: string; verdict: string }> {
    const { provider } = this.world;
    const { demandId, verdict: before } = await this.decided('before');
    if (demandId === null) throw new Error(`the pipeline was told ${before} and of no demand`);
    provider.now = Math.ceil(Date.now() / 1_000);
    const { payer } = this.story.person;
    const secure = { authentication_flow: 'challenge', electronic_commerce_indicator: '05', result: 'authenticated' };
    const payment = provider.createPaymentIntent({ customer: payer }).id;
    const charge = provider.createCharge({
      customer: payer,
      payment_intent: payment,
      payment_method_details: { type: 'card', card: { ...cardOf(), three_d_secure: { ...secure, version: '2.2.0' } } },
    }).id;
    provider.updatePaymentIntent(payment, 'payment_intent.succeeded', { status: 'succeeded', latest_charge: charge });
    const input = { demandId, reference: payment };
    const { recordStepUp: recorded } = await this.act<{ recordStepUp: { state: string } }>('pip', recordStepUp, { input });
    const { verdict } = await this.decided('after');
    return { demandId, state: recorded.state, verdict };
  }
}

const expectAnswer = ({ data, errors }: Answer, what: string): unknown => {
  if (errors && errors.length > 0) throw new Error(`${what} was refused: ${JSON.stringify(errors)}`);
  return data;
};

/** Lives one story through. Throws where one of its people was refused, or nothing came of it. */
export const liveThrough = async (world: World, story: Story): Promise<Lived> => {
  const { kind, person, luck } = story;
  const living = new Living(world, story);
  const onlyHold = async (holdId: string, who: string, state: string): Promise<Lived> => {
    // Some let it go while it is still being brought about.
    if (luck.next() < 0.6) await living.stateOf(holdId, 'ACTIVE');
    await living.release(who, holdId);
    return { kind, person, holdId, state: await living.stateOf(holdId, state) };
  };
  switch (kind) {
    case 'release':
      return onlyHold(await living.place(['PAUSE_RENEWAL', 'BLOCK_NEW']), 'ana', 'RELEASED');
    case 'extend': {
      const id = await living.place(['PAUSE_RENEWAL', 'BLOCK_NEW'], hour / 2);
      await living.act('sam', extendHold, { id, until: inMilliseconds(2 * hour) });
      return onlyHold(id, 'ana', 'RELEASED');
    }
    case 'expire': {
      const holdId = await living.place(['PAUSE_RENEWAL', 'BLOCK_NEW', 'HOLD_ORDER'], 4_000);
      return { kind, person, holdId, state: await living.stateOf(holdId, 'EXPIRED', 'FAILED') };
    }
    case 'approve': {
      const id = await living.proposed();
      await living.act('sam', approveHold, { id });
      return onlyHold(id, 'sam', 'RELEASED');
    }
    case 'reject': {
      const holdId = await living.proposed();
      await living.release('sam', holdId);
      return { kind, person, holdId, state: await living.stateOf(holdId, 'REJECTED') };
    }
    case 'no': {
      const questionId = await living.asked();
      const { state, holdId } = await living.answered(questionId, 'refuse');
      if (holdId !== null) await living.stateOf(holdId, 'ACTIVE');
      return { kind, person, questionId, holdId, state };
    }
    case 'yes': {
      const questionId = await living.asked();
      return { kind, person, questionId, ...(await living.answered(questionId, 'confirm')) };
    }
    case 'step-up': {
      const holdId = await living.place(['STEP_UP']);
      const steppedUp = await living.steppedUp();
      await living.release('ana', holdId);
      await living.stateOf(holdId, 'RELEASED');
      return { kind, person, holdId, ...steppedUp };
    }
  }
};
