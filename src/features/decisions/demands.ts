import type { EventDraft } from '../../audit/event';
import type { EventFacts } from '../../audit/events';
import type { SignedInActor } from '../../authz/actor';
import type { Change, SystemChange } from '../../db/change';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import type { Changes } from '../../db/table';
import { ulid } from '../../ulid';
import type { Keys } from '../keys/keys.service';
import type { DecisionStage } from './decision.words';
import { type DemandRow, demand, demandRows, linked, linkedIds } from './decisions.rows';
import type { StepUpDemand } from './demand.entity';
import { type DemandState, expectDemandTransition, hasEnded } from './demand.states';

/** The longest that a demand waits to be met, milliseconds. */
export const demandLasts = 24 * 3_600_000;
/** Things that one demand rests on. */
const mostGrounds = 50;

/** What a rule wants a customer authenticated for, and what it goes by. */
export interface DemandDraft {
  /** `cus_…`, `pcu_…`, or the digest that signals call somebody by who isn't known here. */
  readonly customerId: string;
  /** In lower case with hyphens. */
  readonly origin: { readonly rule: string; readonly version: number } | null;
  readonly restsOn: readonly string[];
  /** 24 hours from now at the latest. */
  readonly until: Date;
}

export type OpenedDemand = { readonly id: string; readonly isNew: boolean } | { readonly refused: 'erased' };

/** Which customers an event about a demand names. */
export const demandCustomers = async (reads: Pick<Reads, 'read'>, keys: Keys, ids: readonly (string | null)[]) => {
  const distinct = [...new Set(ids)].filter((id) => id !== null);
  const named = await Promise.all(distinct.map((id) => keys.customerUnderDigest(reads, id)));
  return named.flatMap((each) => each ?? []);
};

const isErased = async (change: Change, keys: Keys, customerId: string): Promise<boolean> =>
  /^(?:cus|pcu)_/.test(customerId) && !(await keys.forOwners(change, [customerId])).has(customerId);

/** Who a customer of the helpdesk is at the payment side; anybody else, and who is nobody there, as they are. */
const payerOr = async (change: Change, customerId: string): Promise<string> => {
  if (!customerId.startsWith('cus_')) return customerId;
  const [row] = await change.read(linkedIds, sql`WHERE ${linked.id} = ${customerId} AND ${linked.link} <> 'NONE'`);
  return row?.paymentCustomerId ?? customerId;
};

/** These and those, each once, as many as a demand keeps: what it was opened for stays. */
export const grounds = (some: readonly string[], others: readonly string[]): readonly string[] =>
  [...new Set([...some, ...others])].slice(0, mostGrounds);

const untaken = (customerId: string): string => `${customerId}|`;
const takenBy = (payerId: string, source: string, serviceId: string): string => `${payerId}|${source}|${serviceId}`;

const begun = (change: Change, draft: DemandDraft) => ({
  id: `sup_${ulid(change.at.getTime())}`,
  customerId: draft.customerId,
  payerId: null,
  source: null,
  state: 'OPEN' as DemandState,
  strength: 'CHALLENGE' as const,
  rule: draft.origin?.rule ?? null,
  ruleVersion: draft.origin?.version ?? null,
  ownerId: null,
  stage: null,
  restsOn: grounds(draft.restsOn, []),
  openedAt: change.at,
  countsFrom: change.at,
  presentedAt: null,
  expiresAt: new Date(Math.min(draft.until.getTime(), change.at.getTime() + demandLasts)),
  endedAt: null,
  failedDigests: [],
  lookups: 0,
  proofDigest: null,
  authenticatedAt: null,
  knownDevice: false,
  openKey: untaken(draft.customerId),
});
type NewDemand = ReturnType<typeof begun>;

const openFacts = ({ id, strength, rule, ruleVersion, expiresAt, restsOn }: NewDemand): EventFacts<'demand.open'> => ({
  subject: { type: 'StepUpDemand', id },
  detail: { strength, rule, version: ruleVersion, until: expiresAt.toISOString(), restsOn },
});

/** A demand as it is now, held until the change ends; null where it isn't in this state any more. */
const heldIn = async (change: Change, { id, state }: Pick<DemandRow, 'id' | 'state'>): Promise<DemandRow | null> => {
  const [now] = await change.read(demandRows, sql`WHERE ${demand.id} = ${id}`, { lock: true });
  return now?.state === state ? now : null;
};

/**
 * The one way from state to state. The condition holds the state that it was read in: who comes second changes nothing. Throws `CONFLICT` for
 * a transition that the table doesn't have.
 */
export const moveDemand = async (
  change: Change,
  { id, state }: Pick<DemandRow, 'id' | 'state'>,
  to: DemandState,
  changes: Changes<StepUpDemand> = {},
): Promise<boolean> => {
  expectDemandTransition(state, to);
  const ended = hasEnded(to) ? { endedAt: change.at, openKey: null } : {};
  const isSame = sql`${demand.id} = ${id} AND ${demand.state} = ${state}`;
  return (await change.update(demand, { ...changes, ...ended, state: to }, isSame)) === 1;
};

/**
 * Part of a change that records a verdict of a rule. It is about who the customer is at the payment side by now, whatever becomes of the link. Repeated while nobody was told of it, it is the one that is there, and rests on more.
 */
export const openDemand = async (change: SystemChange, keys: Keys, wanted: DemandDraft): Promise<OpenedDemand> => {
  if (await isErased(change, keys, wanted.customerId)) return { refused: 'erased' };
  const draft = { ...wanted, customerId: await payerOr(change, wanted.customerId) };
  const openKey = untaken(draft.customerId);
  const [known] = await change.read(demandRows, sql`WHERE ${demand.openKey} = ${openKey}`, { lock: true });
  const customers = await demandCustomers(change, keys, [draft.customerId]);
  if (known && known.expiresAt > change.at) {
    const restsOn = grounds(known.restsOn, draft.restsOn);
    if (restsOn.length > known.restsOn.length) {
      await change.update(demand, { restsOn, countsFrom: change.at }, sql`${demand.id} = ${known.id}`);
      change.record('demand.rest', {
        subject: { type: 'StepUpDemand', id: known.id },
        customers,
        detail: { countsFrom: change.at.toISOString(), restsOn },
      });
    }
    return { id: known.id, isNew: false };
  }
  if (known && (await moveDemand(change, known, 'EXPIRED')))
    change.record('demand.expire', { subject: { type: 'StepUpDemand', id: known.id }, customers });
  const made = begun(change, draft);
  await change.insert(demand, made);
  change.record('demand.open', { ...openFacts(made), customers });
  return { id: made.id, isNew: true };
};

export interface Presenting {
  readonly service: SignedInActor;
  readonly payerId: string;
  readonly source: string;
  readonly stage: DecisionStage;
  /** What the demand is to rest on: holds, and demands of others. */
  readonly obstacles: readonly string[];
  /** Of the customer, as they stand. */
  readonly demands: readonly DemandRow[];
}

/**
 * The demand that a service is answered with, in the change that answers it: its own that is open; otherwise one that a rule opened and nobody
 * was told of, which is its from now on; otherwise a new one. Returns it as it is then.
 */
export const presentDemand = async (change: SystemChange, keys: Keys, presenting: Presenting): Promise<DemandRow> => {
  const { service, payerId, source, stage, obstacles, demands } = presenting;
  const by: EventDraft['actor'] = { id: service.id, kind: service.kind, roles: service.roles };
  const isPending = ({ expiresAt }: DemandRow) => expiresAt > change.at;
  const openKey = takenBy(payerId, source, service.id);
  const mine = demands.find((each) => each.openKey === openKey);
  const own = mine ? await heldIn(change, mine) : null;
  const rules = demands.find((each) => each.ownerId === null && each.state === 'OPEN' && isPending(each));
  const free = rules && !(own && isPending(own)) ? await heldIn(change, rules) : null;
  const tell = async (row: DemandRow) => {
    change.recordFor(by, 'demand.present', {
      subject: { type: 'StepUpDemand', id: row.id },
      customers: await demandCustomers(change, keys, [row.customerId, payerId]),
      detail: {
        payer: payerId,
        source,
        stage: row.stage ?? stage,
        countsFrom: row.countsFrom.toISOString(),
        restsOn: row.restsOn,
      },
    });
    return row;
  };
  const isOwn = own !== null && isPending(own);
  if (own && !isOwn && (await moveDemand(change, own, 'EXPIRED')))
    change.record('demand.expire', {
      subject: { type: 'StepUpDemand', id: own.id },
      customers: await demandCustomers(change, keys, [own.customerId, own.payerId]),
    });
  const known = isOwn ? own : free?.ownerId === null ? free : null;
  if (known) {
    const others = obstacles.filter((id) => id !== known.id);
    const restsOn = grounds(known.restsOn, others);
    const isMore = restsOn.length > known.restsOn.length;
    if (isOwn && !isMore) return known;
    // What the customer did before somebody asked for this isn't an answer to it.
    const more = { restsOn, countsFrom: isMore ? change.at : known.countsFrom };
    const taken = { ...more, payerId, source, stage, ownerId: service.id, presentedAt: change.at, openKey };
    if (isOwn) await change.update(demand, more, sql`${demand.id} = ${known.id}`);
    else await moveDemand(change, known, 'PRESENTED', taken);
    return tell({ ...known, ...(isOwn ? more : taken), state: 'PRESENTED' });
  }
  const until = new Date(change.at.getTime() + demandLasts);
  const made = begun(change, { customerId: payerId, origin: null, restsOn: obstacles, until });
  const presented = {
    ...made,
    payerId,
    source,
    stage,
    ownerId: service.id,
    presentedAt: change.at,
    state: 'PRESENTED' as const,
    openKey,
  };
  await change.insert(demand, presented);
  change.recordFor(by, 'demand.open', { ...openFacts(made), customers: await demandCustomers(change, keys, [payerId]) });
  return tell(presented);
};
