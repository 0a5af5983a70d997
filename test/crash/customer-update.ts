import { setTimeout as pause } from 'node:timers/promises';
import type { CredentialUpdateKind } from '../../src/authz/policy/update-policy';
import type { Person, World } from './world';

const openTicket = `query Open($id: ID!) { ticket(id: $id) { customer { paymentMethods { id last4 } } } }`;
const request = `mutation Request($input: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $input) { id } }`;
const follow = 'query Follow($id: ID!) { credentialUpdate(id: $id) { state failure } }';
const approve = 'mutation Approve($id: ID!) { approveCredentialUpdate(id: $id) { state } }';

const ended = ['APPLIED', 'FAILED', 'REFUSED', 'REJECTED', 'CANCELLED', 'EXPIRED'];

/** What an update is about at the provider, so that afterwards it can be told whether it happened. */
export interface Staged {
  readonly person: Person;
  readonly kind: CredentialUpdateKind;
  /** References at the provider. */
  readonly method: string;
  readonly other: string;
  readonly subscriptions: readonly string[];
  /** The address that the customer types; no other update has the same. */
  readonly line1: string;
}

export interface Ended extends Staged {
  readonly id: string;
  readonly state: string;
  readonly failure: string | null;
  /** The new card of a `REPLACE_CARD`. */
  readonly replacement: string | null;
}

/** A fresh method and, for what moves a default, subscriptions that are paid with another one. */
export const stage = (world: World, person: Person, kind: CredentialUpdateKind, number: number): Staged => {
  const { provider } = world;
  const card = (last4: string) =>
    provider.attachPaymentMethod(person.payer, { card: { brand: 'visa', last4, exp_month: 8, exp_year: 2031 } });
  const method = card(String(1_000 + (number % 9_000))).id;
  const other = card('0001').id;
  const standsOn = kind === 'REPLACE_CARD' ? method : other;
  provider.updateCustomer(person.payer, {
    invoice_settings: { custom_fields: null, default_payment_method: standsOn, footer: null, rendering_options: null },
  });
  const subscriptions = [0, 1].map(() => provider.createSubscription(person.payer, { default_payment_method: standsOn }).id);
  return { person, kind, method, other, subscriptions, line1: `Crash street ${number}` };
};

/** Takes away what `stage` made and the update left, so that the next one of this person begins as this one did. */
export const clear = ({ provider }: World, { method, other, subscriptions }: Staged, replacement: string | null): void => {
  for (const id of subscriptions) provider.updateSubscription(id, { status: 'canceled' });
  for (const id of [method, other, replacement]) {
    if (id !== null && provider.find(id)?.customer) provider.detachPaymentMethod(id);
  }
};

const until = async <T>(what: string, look: () => Promise<T | null> | T | null, seconds = 90): Promise<T> => {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await pause(60)) {
    const found = await look();
    if (found !== null) return found;
  }
  throw new Error(`waited in vain: ${what}`);
};

/** Lives one update through as its people do, each of whom asks again where no answer came. */
export const liveThrough = async (world: World, staged: Staged, number: number): Promise<Ended> => {
  const { person, kind } = staged;
  world.forget(person);
  const last4 = String(1_000 + (number % 9_000));
  const methodId = await until('the method in the read model', async () => {
    const { data } = await world.graph('ana', openTicket, { id: person.ticketId });
    const methods = (data?.ticket?.customer?.paymentMethods ?? []) as { id: string; last4: string }[];
    return methods.find((each) => each.last4 === last4)?.id ?? null;
  });
  const input = {
    ticketId: person.ticketId,
    paymentMethodId: methodId,
    kind,
    reason: 'The customer asked for it on the telephone',
    idempotencyKey: `crash-${number}-${methodId}`,
  };
  const id = await until('the request', async () => {
    const { data, errors } = await world.graph('ana', request, { input });
    if (errors?.some(({ extensions }) => !['UPSTREAM_UNAVAILABLE', 'RATE_LIMITED'].includes(String(extensions.code))))
      throw new Error(`the request was refused: ${JSON.stringify(errors)}`);
    return (data?.requestCredentialUpdate?.id as string | undefined) ?? null;
  });
  const stateOf = async () => {
    const { data } = await world.graph('ana', follow, { id });
    return data.credentialUpdate as { state: string; failure: string | null };
  };
  let replacement: string | null = null;
  for (let turns = 0; ; turns += 1) {
    const { state, failure } = await stateOf();
    if (ended.includes(state)) return { ...staged, id, state, failure, replacement };
    if (turns > 1_500) throw new Error(`${id} stays ${state}`);
    if (state === 'AWAITING_CUSTOMER') await confirm(world, staged);
    else if (state === 'AWAITING_PROVIDER') replacement ??= await enterCard(world, staged);
    else if (state === 'AWAITING_APPROVAL') await world.graph('sam', approve, { id });
    await pause(60);
  }
};

/** Opens the latest link, has a code sent where one is asked for, and says yes. Whatever is lost on the way, the next turn does again. */
const confirm = async (world: World, { person, line1 }: Staged): Promise<void> => {
  const token = world.tokensFor(person).at(-1);
  if (!token) return;
  const path = `/confirm/${token}`;
  const shownOn = (html: string) => /name="shown" value="([0-9a-f]+)"/.exec(html)?.[1];
  const page = await world.page(path);
  const shown = page ? shownOn(page.html) : undefined;
  if (!page || !shown) return;
  const needsCode = page.html.includes('name="code"') || page.html.includes('value="send-code"');
  if (needsCode && !world.codeFor(person)) {
    await world.page(path, { answer: 'send-code', shown });
    return;
  }
  await world.page(path, {
    answer: 'confirm',
    shown,
    code: world.codeFor(person) ?? '',
    agreed: 'yes',
    line1,
    line2: '',
    city: 'Crashtown',
    postalCode: '1000',
    country: 'IE',
  });
};

/** The customer enters a card on the provider's page, once: the latest page that the gateway asked for. */
const enterCard = async (world: World, { person }: Staged): Promise<string | null> => {
  const { provider } = world;
  const session = provider.sessionsOf(person.payer).find(({ status }) => status === 'open');
  if (!session) return null;
  const { id } = provider.completeSetup(session.id, { last4: '0077' });
  await world.webhook('checkout.session.completed');
  return id;
};
