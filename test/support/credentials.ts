import type { DataSource } from 'typeorm';
import type { CredentialUpdateKind } from '../../src/authz/policy/update-policy';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { paymentReferenceOf } from '../../src/development/merchant/history';
import { helpdeskNumberOf } from '../../src/development/merchant/merchant';
import { type OutboxMessage, readOutbox } from '../../src/development/outbox/outbox-files';
import type { SetupCardName } from '../../src/development/sources/setup-cards';
import type { ConfirmationAnswer, ConfirmationInput, NewAddress } from '../../src/features/credentials/confirm/confirmation.view';
import { isTerminal } from '../../src/features/credentials/credential-update.states';
import type { MailChannel, ShortMessageChannel } from '../../src/upstream/delivery/delivery.port';
import type { PaymentCustomerRecord, ProviderStepAction } from '../../src/upstream/payments/payments.port';
import type { GraphQLAnswer, TestApp } from './app';
import { recordOf } from './recorder';

const day = 86_400_000;

export interface CaseMethod {
  readonly id: string;
  /** The provider's. */
  readonly reference: string;
  readonly last4: string | null;
  readonly isDefault: boolean;
  readonly kind: string;
}

/** An open ticket of Ana's about a customer of their own, whom nothing makes high-risk. */
export interface Case {
  readonly reference: string;
  readonly ticketId: string;
  readonly customerId: string;
  /** The customer's number at the demo merchant. */
  readonly number: number;
  /** The customer as the provider names them. */
  readonly payer: string;
  readonly methods: readonly CaseMethod[];
  readonly usual: CaseMethod;
  /** One that isn't the default, if there is any. */
  readonly other: CaseMethod;
}

export interface Wanted {
  readonly methods?: number;
  readonly phone?: boolean;
  /** Whether a subscription is paid with the default method. */
  readonly subscribed?: boolean;
}

export const updateFields = `id kind state reason failure riskRules needsCode needsApproval
  before { brand last4 expiryMonth expiryYear country isDefault billingAddress { city state country } }
  after { brand last4 expiryMonth expiryYear country isDefault billingAddress { city state country } }
  confirmation { outcome channel proofs shownDigest at }
  approval { decision by { displayName } }
  requestedBy { displayName }
  history { from to actor reason by { displayName } }`;
export const requestUpdate = `mutation Ask($input: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $input) { ${updateFields} } }`;
export const readUpdate = `query Read($id: ID!) { credentialUpdate(id: $id) { ${updateFields} } }`;
/** What of an update is shown under an assistance only, or to who decides about it: its details, and what tells of customer and method. */
export const detailsOfUpdates = [
  'after',
  'before',
  'confirmation.proofs',
  'failure',
  'history.reason',
  'needsApproval',
  'needsCode',
  'reason',
  'riskRules',
] as const;
/** Fields of an update that errors are about, each once; of a list, whichever row. */
export const withheld = (errors: readonly { readonly path?: readonly (string | number)[] | undefined }[]): readonly string[] =>
  [
    ...new Set(
      errors.map(({ path = [] }) =>
        path
          .slice(1)
          .filter((step) => typeof step === 'string')
          .join('.'),
      ),
    ),
  ].sort();
export const approveUpdate =
  'mutation Approve($id: ID!) { approveCredentialUpdate(id: $id) { id state approval { decision by { displayName } } } }';
export const rejectUpdate =
  'mutation Reject($id: ID!, $reason: String!) { rejectCredentialUpdate(id: $id, reason: $reason) { id state approval { decision by { displayName } } } }';
export const cancelUpdate = 'mutation Cancel($id: ID!) { cancelCredentialUpdate(id: $id) { id state } }';
const openTicket = 'query Open($id: ID!) { ticket(id: $id) { assistance { state } customer { link } } }';

export const reason = 'The customer wrote that this has to be changed';
export const rejection = 'This does not fit what the customer told us';
export const newAddress: NewAddress = {
  line1: 'Quay Street 123',
  line2: '',
  city: 'Galway',
  state: 'Co. Galway',
  postalCode: 'H91 TK33',
  country: 'IE',
};

let keysUsed = 0;
export const freshKey = (): string => {
  keysUsed += 1;
  return `test-request-${keysUsed}`;
};

/** The one connection that writes, to put into a table what no interface of ours would. */
export const writerOf = (test: TestApp): DataSource => Reflect.get(test.app.database, 'writer') as DataSource;

export const mails = async (test: TestApp, most = 1): Promise<readonly OutboxMessage[]> =>
  (await readOutbox(test.app.config.delivery.folder, 1_000)).filter(({ kind }) => kind === 'mail').slice(0, most);
export const shortMessages = async (test: TestApp, most = 1): Promise<readonly OutboxMessage[]> =>
  (await readOutbox(test.app.config.delivery.folder, 1_000)).filter(({ kind }) => kind === 'sms').slice(0, most);

/** The token in the newest mail. */
export const newestToken = async (test: TestApp): Promise<string> => {
  const [mail] = await mails(test);
  const token = /\/confirm\/(\S+)/.exec(mail?.text ?? '')?.[1];
  if (token === undefined) throw new Error('no mail holds a link');
  return token;
};

export const newestCode = async (test: TestApp): Promise<string> => {
  const [message] = await shortMessages(test);
  const code = /\b\d{6}\b/.exec(message?.text ?? '')?.[0];
  if (code === undefined) throw new Error('no short message holds a code');
  return code;
};

/** How updates are lived through in tests: by Ana, who asks, by the customer, who answers, and by the provider. */
export class Updates {
  private readonly taken = new Set<number>();

  constructor(readonly test: TestApp) {}

  get desk() {
    return this.test.app.services.confirmations;
  }

  get provider() {
    return this.test.payments.credentials;
  }

  drain(): Promise<void> {
    return this.test.app.services.jobs.drain();
  }

  /** The next customer of the demo merchant who is as wanted, with an open ticket that Ana has opened. Throws where there is none left. */
  async next({ methods = 2, phone = true, subscribed }: Wanted = {}): Promise<Case> {
    const now = this.test.clock.now().getTime();
    const candidates = await this.test.app.database.query<{ reference: string; customer: string; payer: string }>(
      `SELECT k.reference, c.reference AS customer, p.id AS payer FROM helpdesk_ticket k JOIN helpdesk_customer c ON c.id = k.customer_id
         JOIN payment_customer p ON p.id = c.payment_customer_id
        WHERE c.link = 'VERIFIED' AND k.team = 'cards' AND k.created_by_id IS NULL AND p.email_changed_at < ?
          AND ${phone ? 'p.phone_digest IS NOT NULL AND p.phone_changed_at < ?' : 'p.phone_digest IS NULL AND p.email_changed_at < ?'}
          AND NOT EXISTS (SELECT 1 FROM payment_transaction x WHERE x.payment_customer_id = p.id AND x.dispute_opened_at IS NOT NULL)
        ORDER BY k.reference`,
      [now - 30 * day, now - 30 * day],
    );
    for (const { reference, customer } of candidates) {
      const number = helpdeskNumberOf(customer);
      if (this.taken.has(number)) continue;
      const payer = paymentReferenceOf(number);
      const stored = (await this.test.payments.fetchCustomer(payer, new Date(0)))?.methods ?? [];
      const usable = stored.filter(({ status }) => status !== 'REMOVED');
      const usual = usable.find(({ isDefault }) => isDefault);
      const current = usual && (await this.provider.readMethod(payer, usual.reference));
      if (!usual || !current || usual.kind !== 'CARD' || usable.length < methods) continue;
      if (subscribed !== undefined && current.subscriptions.length > 0 !== subscribed) continue;
      this.taken.add(number);
      return this.open(reference, number);
    }
    throw new Error('the demo merchant has no such customer left');
  }

  /** The ticket of this reference as a case, given to Ana and opened by her. */
  async open(reference: string, number: number): Promise<Case> {
    this.taken.add(number);
    this.test.helpdesk.reassign(reference, 'ana');
    this.test.helpdesk.reopen(reference);
    await this.test.app.sources.syncAll();
    return this.caseOf(reference, number);
  }

  /** As it is, opened by Ana. */
  async caseOf(reference: string, number: number): Promise<Case> {
    const [ticket] = await this.test.app.database.query<{ id: string; customer_id: string }>(
      'SELECT id, customer_id FROM helpdesk_ticket WHERE reference = ?',
      [reference],
    );
    if (!ticket) throw new Error('no such ticket is stored');
    await this.assist(ticket.id);
    const payer = paymentReferenceOf(number);
    const stored = (await this.test.payments.fetchCustomer(payer, new Date(0)))?.methods ?? [];
    const rows = await this.test.app.database.query<{
      id: string;
      kind: string;
      last4: string | null;
      brand: string | null;
      expiry_month: number | null;
      expiry_year: number | null;
      is_default: number;
    }>(
      `SELECT m.id, m.kind, m.last4, m.brand, m.expiry_month, m.expiry_year, m.is_default FROM payment_method m
         JOIN helpdesk_customer c ON c.payment_customer_id = m.payment_customer_id WHERE c.id = ? AND m.status <> 'REMOVED'`,
      [ticket.customer_id],
    );
    const methods = stored.flatMap((each): CaseMethod[] => {
      const row = rows.find(
        ({ kind, last4, brand, expiry_year, is_default }) =>
          kind === each.kind &&
          last4 === each.last4 &&
          brand === each.brand &&
          (expiry_year === null ? null : Number(expiry_year)) === each.expiryYear &&
          (Number(is_default) === 1) === each.isDefault,
      );
      return row
        ? [{ id: row.id, reference: each.reference, last4: each.last4, isDefault: each.isDefault, kind: each.kind }]
        : [];
    });
    const usual = methods.find(({ isDefault }) => isDefault) as CaseMethod;
    const other = methods.find(({ isDefault, kind }) => !isDefault && kind !== 'WALLET') ?? usual;
    return { reference, ticketId: ticket.id, customerId: ticket.customer_id, number, payer, methods, usual, other };
  }

  /** Ana opens the ticket, with which her assistance begins. */
  async assist(ticketId: string): Promise<GraphQLAnswer> {
    return this.test.as('ana', openTicket, { id: ticketId });
  }

  request(
    of: Pick<Case, 'ticketId'>,
    method: Pick<CaseMethod, 'id'>,
    kind: CredentialUpdateKind,
    over: { readonly reason?: string; readonly idempotencyKey?: string } = {},
    who: Parameters<TestApp['as']>[0] = 'ana',
  ): Promise<GraphQLAnswer> {
    const input = { ticketId: of.ticketId, paymentMethodId: method.id, kind, reason, idempotencyKey: freshKey(), ...over };
    return this.test.as(who, requestUpdate, { input });
  }

  /** Asks for a change, which must be possible, and sends the link. Returns the update's id and the customer's token. */
  async asked(of: Case, method: CaseMethod, kind: CredentialUpdateKind): Promise<{ id: string; token: string }> {
    const answer = await this.request(of, method, kind);
    if (answer.errors) throw new Error(`not asked for: ${JSON.stringify(answer.errors)}`);
    await this.drain();
    return { id: answer.data.requestCredentialUpdate.id as string, token: await newestToken(this.test) };
  }

  /** What the customer sends when they say yes: with the code, where one is needed. */
  async consent(token: string, over: Partial<ConfirmationInput> = {}): Promise<ConfirmationInput> {
    const view = await this.desk.view(token);
    if (!view) throw new Error('the link is dead');
    if (view.code && over.code === undefined) await this.desk.sendCode(token);
    return {
      shown: view.shown,
      code: view.code && over.code === undefined ? await newestCode(this.test) : '',
      address: view.kind === 'BILLING_ADDRESS' ? newAddress : null,
      agreed: true,
      ...over,
    };
  }

  async confirm(token: string, over: Partial<ConfirmationInput> = {}): Promise<ConfirmationAnswer> {
    return this.desk.confirm(token, await this.consent(token, over));
  }

  /** Two new addresses, one that the customer confirms and that is applied, and one that they refuse. Returns their ids, in this order. */
  async confirmedAndRefused(of: Case): Promise<readonly [confirmed: string, refused: string]> {
    const one = await this.asked(of, of.usual, 'BILLING_ADDRESS');
    await this.confirm(one.token);
    await this.drain();
    const two = await this.asked(of, of.other, 'BILLING_ADDRESS');
    const { shown } = await this.consent(two.token);
    await this.desk.refuse(two.token, shown);
    return [one.id, two.id];
  }

  /** The customer enters a card on the provider's page, and the gateway looks. */
  async enterCard(
    answer: ConfirmationAnswer,
    card: SetupCardName = 'visa',
    holder: 'approves' | 'refuses' | null = null,
  ): Promise<void> {
    const url = answer.outcome === 'continue' ? answer.view.continueAt : null;
    if (url === null) throw new Error(`no page of the provider: ${answer.outcome}`);
    this.provider.enterCard(url.slice(url.lastIndexOf('/') + 1), card, holder);
    this.test.clock.forward(5_000);
    await this.drain();
  }

  /** Does something right before the provider gets its next call of this kind. */
  before(action: ProviderStepAction, what: () => void): void {
    const { provider } = this;
    const perform = provider.perform.bind(provider);
    let isDone = false;
    provider.perform = async (step, key) => {
      if (step.action === action && !isDone) {
        isDone = true;
        what();
      }
      return perform(step, key);
    };
  }

  async row(id: string): Promise<Record<string, unknown>> {
    const [row] = await this.test.app.database.query('SELECT * FROM credential_update WHERE id = ?', [id]);
    return row ?? {};
  }

  async state(id: string): Promise<unknown> {
    return (await this.row(id)).state;
  }

  /** Where it went, and why. */
  async path(id: string): Promise<string[]> {
    const rows = await this.test.app.database.query<{ to_state: string; reason: string | null }>(
      'SELECT to_state, reason FROM credential_transition WHERE update_id = ? ORDER BY ordinal',
      [id],
    );
    return rows.map(({ to_state, reason: why }) => (why === null ? to_state : `${to_state} ${why}`));
  }

  /** The customer's methods as the provider has them. */
  async methodsOf(of: Case) {
    const snapshot = await this.test.payments.fetchCustomer(of.payer, new Date(0));
    return (snapshot?.methods ?? []).filter(({ status }) => status !== 'REMOVED');
  }

  /** What was done at the provider for this update, in its order. */
  executions(id: string): string[] {
    return this.provider.executions.filter(({ key }) => key.startsWith(`${id}/`)).map(({ action }) => action);
  }

  /** From now on the provider says something else about the customer, and the gateway has heard of it. */
  async changeCustomer(of: Case, over: Partial<PaymentCustomerRecord>): Promise<void> {
    const { merchant } = this.test.payments;
    const before = merchant.paymentCustomer.bind(merchant);
    merchant.paymentCustomer = (number, source) => ({ ...before(number, source), ...(number === of.number ? over : {}) });
    await this.test.app.sources.confirmLink(of.customerId);
  }

  /** Denied attempts are written one by one again: those of earlier tests aren't counted together with what follows. */
  forgetDenials(): void {
    const denials = recordOf(this.test.app).denials;
    (Reflect.get(denials, 'windows') as Map<string, unknown>).clear();
  }

  /** Moves the clock in steps that let every waiting job have its turn, until there is none that waits or the time is up. */
  async wait(milliseconds: number, step = 60_000): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += step) {
      this.test.clock.forward(Math.min(step, milliseconds - passed));
      await this.drain();
    }
  }
}

interface Leaf {
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly detail: Record<string, unknown>;
}

/**
 * Every transition with the event that belongs to it, and every such event with its transition. Whoever compares the two
 * lists sees at once which one lacks the other.
 */
export const transitionsAndEvents = async (test: TestApp): Promise<{ transitions: string[]; events: string[] }> => {
  const rows = await test.app.database.query<Record<string, string | number | null>>(
    'SELECT update_id, from_state, to_state, actor_kind, actor_id, at, reason FROM credential_transition ORDER BY update_id, ordinal',
  );
  const leaves = (await test.events()) as unknown as Leaf[];
  const told = leaves.filter(({ subject, detail }) => subject?.type === 'CredentialUpdate' && 'to' in detail);
  return {
    transitions: rows
      .map(({ update_id, from_state, to_state, actor_kind, actor_id, at, reason: why }) =>
        [update_id, from_state, to_state, actor_kind, actor_id, new Date(Number(at)).toISOString(), why].join(' '),
      )
      .sort(),
    events: told
      .map(({ at, actor, subject, detail }) =>
        [subject?.id, detail.from, detail.to, actor.kind, actor.id, at, detail.reason].join(' '),
      )
      .sort(),
  };
};

/** What is wrong with an update's row beside its history, and which rows the log says nothing of; nothing, if all is well. */
export const flaws = async (test: TestApp): Promise<string[]> => {
  const updates = await test.app.database.query<{ id: string; state: string; moves: number; open_key: string | null }>(
    'SELECT id, state, moves, open_key, ended_at FROM credential_update',
  );
  const rows = await test.app.database.query<{ update_id: string; ordinal: number; from_state: string | null; to_state: string }>(
    'SELECT update_id, ordinal, from_state, to_state FROM credential_transition ORDER BY update_id, ordinal',
  );
  const differing = updates.flatMap(({ id, state, moves, open_key }) => {
    const own = rows.filter(({ update_id }) => update_id === id);
    const hasEnded = isTerminal(state as Parameters<typeof isTerminal>[0]);
    return [
      ...(own.every(({ ordinal }, index) => Number(ordinal) === index + 1) ? [] : [`${id}: ordinals have gaps`]),
      ...(own.every(({ from_state }, index) => from_state === (own[index - 1]?.to_state ?? null))
        ? []
        : [`${id}: states have gaps`]),
      ...(own.length === Number(moves) ? [] : [`${id}: ${moves} moves, ${own.length} transitions`]),
      ...(own.at(-1)?.to_state === state ? [] : [`${id}: is ${state}, moved to ${own.at(-1)?.to_state}`]),
      ...((open_key === null) === hasEnded ? [] : [`${id}: ${state} and open key ${open_key}`]),
    ];
  });
  return [...differing, ...(await rowsWithoutEvent(test.app.database)).findings];
};

/** Every row of every table, bytes in hexadecimal; to see that nothing changed, or that something stands nowhere. */
export const wholeDatabase = async ({ app: { database } }: TestApp): Promise<Record<string, string[]>> => {
  const tables = await database.query<Record<string, string>>(
    database.engine === 'mariadb' ? 'SHOW TABLES' : "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
  );
  const contents: Record<string, string[]> = {};
  for (const table of tables.flatMap((row) => Object.values(row))) {
    const rows = await database.query(`SELECT * FROM ${table}`);
    contents[table] = rows
      .map((row) =>
        JSON.stringify(
          Object.fromEntries(
            Object.entries(row).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('hex') : value]),
          ),
        ),
      )
      .sort();
  }
  return contents;
};

/** Makes the customer one who was erased: their key is gone, and with it whatever it sealed. */
export const erase = async (test: TestApp, customerId: string): Promise<void> => {
  await writerOf(test).query('UPDATE privacy_customer_key SET wrapped = NULL, destroyed_at = ? WHERE owner = ?', [
    test.clock.now().getTime(),
    customerId,
  ]);
};

/** The ways to a customer, for tests that let one of them fail. */
export const channelsOf = (test: TestApp): { mail: MailChannel; sms: ShortMessageChannel } =>
  Reflect.get(Reflect.get(test.app, 'parts'), 'channels') as { mail: MailChannel; sms: ShortMessageChannel };
