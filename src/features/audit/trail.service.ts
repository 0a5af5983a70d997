import { catalogue, type EventName } from '../../audit/events';
import { type Leaf, storedLeaf } from '../../audit/leaf';
import type { Database } from '../../db/database';
import { type Sql, sql } from '../../db/sql';
import { optional, type Selected, select } from '../../db/table';
import { Failure } from '../../failure';
import type { RequestAccess } from '../../graphql/request-access';
import type { Shown, ShownObject } from '../../graphql/shown';
import { customer } from '../customers/customers.rows';
import { type Keys, keyedIfAny, withKeyOfOwner } from '../keys/keys.service';
import { transaction } from '../payments/payments.rows';
import { ticket } from '../tickets/tickets.rows';
import { mostTrailLinks, mostTrailSteps } from './audit.bounds';
import { c, e, l, placedEvents } from './audit.rows';
import { agreesWithLeaf } from './shown-rows';
import { idsIn, signalsIn, sourceOfSignal } from './trail.facts';
import { DecisionStepType, type TrailStep } from './trail.type';

export interface TrailStart {
  readonly ticketId?: string | undefined;
  readonly transactionId?: string | undefined;
}

/** What of the log is about how something was decided: how a payment was judged, and what staff and customers did about it. */
const families = [
  'rule.verdict',
  'alert.',
  'brake.',
  'hold.',
  'demand.',
  'decision.',
  'recognition.',
  'assistance.',
  'card-invitation.',
  'claim.',
];
/** Of these the beginnings and ends; how they came about in between is in the log itself. */
const others: readonly string[] = [
  ...['credential.request', 'credential.confirm', 'credential.refuse', 'credential.approve', 'credential.reject'],
  'credential.apply',
];
/** Of these families what is about sending and counting. */
const left: readonly string[] = [
  ...['recognition.link', 'recognition.link-sent', 'recognition.note-dropped', 'decision.count', 'decision.remove'],
];
const onTrails: readonly string[] = (Object.keys(catalogue) as EventName[]).filter(
  (name) => !left.includes(name) && (others.includes(name) || families.some((family) => name.startsWith(family))),
);

/** How often what events name is looked up in turn: a verdict behind an alert behind a hold behind a decision. */
const rounds = 4;
/** Brakes that are looked through, the newest: they are about staff, so nothing leads to them but what they rest on. */
const mostBrakes = 200;
/** Ids of one statement. */
const atOnce = 500;

const eventRows = select(
  {
    ...l.pick('leafIndex', 'leafHash', 'eventId'),
    ...e.pick('action', 'outcome', 'actorId', 'ticketId', 'subjectType', 'subjectId', 'transactionId', 'leaf'),
  },
  placedEvents,
);
type EventRow = Selected<typeof eventRows>;
const customersOfEvents = select(
  { ...c.pick('eventId', 'customerId'), ...keyedIfAny },
  sql`FROM ${c} ${withKeyOfOwner(c.customerId)}`,
);
const ofTicket = select(
  { customerId: optional(ticket.customerId), payerId: optional(customer.paymentCustomerId) },
  sql`FROM ${ticket} LEFT JOIN ${customer} ON ${customer.id} = ${ticket.customerId}`,
);
const ofTransaction = select(
  { customerId: optional(customer.id), payerId: optional(transaction.paymentCustomerId) },
  sql`FROM ${transaction} LEFT JOIN ${customer} ON ${customer.paymentCustomerId} = ${transaction.paymentCustomerId} AND ${customer.link} <> 'NONE'`,
);

/** An event that was found, and whom the rows beside it name. */
interface Found {
  readonly row: EventRow;
  readonly leaf: Leaf;
  readonly customers: readonly NonNullable<ShownObject['customer']>[];
}

/** What led to what about one customer, read out of the log. */
export class DecisionTrails {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
  ) {}

  /**
   * Of a ticket's or a payment's customer: events with their place, oldest first, the newest `mostTrailSteps` of them. Whoever reads is on
   * record, also where there is nothing. Throws `INVALID` unless one of both is given.
   */
  async of(access: RequestAccess, start: TrailStart): Promise<readonly DecisionStepType[]> {
    const isOne = (start.ticketId === undefined) !== (start.transactionId === undefined);
    if (!isOne) throw Failure.invalid('ticketId', 'expected either ticketId or transactionId');
    const whom = await this.whom(start);
    const found = await this.collect(whom, start.ticketId ?? null);
    const all = [...found.values()].sort((one, other) => one.row.leafIndex - other.row.leafIndex);
    const shown = all.slice(-mostTrailSteps);
    const customer = await this.named(whom);
    const ofOthers = shown.map(({ customers }) => (customers.some(({ id }) => whom.has(id)) ? [] : customers));
    const steps = linked(shown, whom, start.ticketId ?? null).map(
      (step, at) =>
        new DecisionStepType({
          ...step,
          customer: ofOthers[at]?.[0] ?? customer,
          isCut: at === 0 && shown.length < all.length,
        }),
    );
    // A ticket that was about somebody else tells of them: whoever each step is about is named, not only whose the ticket is now.
    const former = [...new Map(ofOthers.flat().map((each) => [each.id, each])).values()].map((each) => startOf(start, each));
    // Who asked is on record, also where there is nothing.
    access.note('Query.decisionTrail', Math.max(steps.length, 1), [startOf(start, customer), ...former, ...steps]);
    return steps;
  }

  /** Ids by which events name the customer: the helpdesk's, and the payment side's. */
  private async whom({ ticketId, transactionId }: TrailStart): Promise<ReadonlySet<string>> {
    const rows =
      ticketId === undefined
        ? await this.database.read(ofTransaction, sql`WHERE ${transaction.id} = ${transactionId ?? ''} LIMIT ${atOnce}`)
        : await this.database.read(ofTicket, sql`WHERE ${ticket.id} = ${ticketId}`);
    return new Set(rows.flatMap(({ customerId, payerId }) => [customerId, payerId].filter((id) => id !== null)));
  }

  private async named(whom: ReadonlySet<string>): Promise<ShownObject['customer']> {
    const [id] = whom;
    return id === undefined ? null : this.keys.customerUnderDigest(this.database, id);
  }

  /** What names the customer or the ticket, and, in turn, what that names, as far as it is about nobody else. */
  private async collect(whom: ReadonlySet<string>, ticketId: string | null): Promise<Map<string, Found>> {
    const found = new Map<string, Found>();
    const isTheirs = isAbout(whom, ticketId);
    const take = async (which: Sql, most = mostTrailSteps + 1): Promise<readonly Found[]> => {
      const read = await this.read(which, most);
      const fresh = read.filter((each) => isTheirs(each) && !found.has(each.row.eventId));
      for (const each of fresh) found.set(each.row.eventId, each);
      return fresh;
    };
    const about = [...whom];
    let fresh: readonly Found[] = [];
    if (about.length > 0) fresh = await take(sql`${e.id} IN (SELECT ${c.eventId} FROM ${c} WHERE ${c.customerId} IN (${about}))`);
    if (ticketId !== null) fresh = [...fresh, ...(await take(sql`${e.ticketId} = ${ticketId}`))];
    await this.takeBrakes(found, take);
    for (let round = 0; round < rounds && fresh.length > 0 && found.size <= mostTrailSteps; round += 1) {
      const named = new Set(fresh.flatMap(({ leaf, row }) => [...idsIn(leaf.detail), ...(row.subjectId ? [row.subjectId] : [])]));
      const changes = new Set(fresh.filter(({ row }) => followed.has(row.action)).map(({ row }) => row.transactionId));
      fresh = [];
      for (const which of namedBy([...named])) fresh = [...fresh, ...(await take(which))];
      for (const ids of parts([...changes])) fresh = [...fresh, ...(await this.takeVerdicts(found, ids))];
    }
    return found;
  }

  /** The verdicts that were recorded with what followed of them, by the rule and the signals that both name. */
  private async takeVerdicts(found: Map<string, Found>, changes: readonly string[]): Promise<readonly Found[]> {
    const read = await this.read(sql`${e.transactionId} IN (${changes}) AND ${e.action} = 'rule.verdict'`, mostTrailSteps + 1);
    const known = [...found.values()];
    const fresh = read.filter((each) => !found.has(each.row.eventId) && known.some((other) => isVerdictOf(each, other)));
    for (const each of fresh) found.set(each.row.eventId, each);
    return fresh;
  }

  /** Brakes that rest on what was done about this customer. */
  private async takeBrakes(found: Map<string, Found>, take: (which: Sql) => Promise<readonly Found[]>): Promise<void> {
    // By their ids, which follow time: the log has no order of its own for each kind of event.
    const placed = await this.read(sql`${e.subjectType} = 'Brake' AND ${e.action} = 'brake.place'`, mostBrakes, e.subjectId);
    const signals = new Set([...found.values()].flatMap(({ leaf }) => signalsIn(leaf.detail)));
    const done = new Set([...found.values()].flatMap(({ row }) => (row.subjectId ? [row.subjectId] : [])));
    const isTheirs = ({ leaf }: Found) =>
      signalsIn(leaf.detail).some((signal) => signals.has(signal) || done.has(sourceOfSignal(signal) ?? ''));
    const ids = placed.filter(isTheirs).flatMap(({ row }) => row.subjectId ?? []);
    for (const some of parts(ids)) await take(sql`${e.subjectType} = 'Brake' AND ${e.subjectId} IN (${some})`);
    const changes = [...found.values()].filter(({ row }) => row.action === 'brake.place').map(({ row }) => row.transactionId);
    for (const some of parts(changes)) await this.takeVerdicts(found, some);
  }

  /** The newest of these events, with whom the rows beside them name. */
  private async read(which: Sql, most: number, by: Sql = l.leafIndex): Promise<readonly Found[]> {
    const rows = await this.database.read(
      eventRows,
      sql`WHERE ${e.action} IN (${onTrails}) AND ${which} ORDER BY ${by} DESC LIMIT ${most}`,
    );
    const customers = new Map<string, NonNullable<ShownObject['customer']>[]>();
    for (const ids of parts(rows.map(({ eventId }) => eventId)))
      for (const { eventId, customerId, keyId, keyWrapped, keyOwner } of await this.database.read(
        customersOfEvents,
        sql`WHERE ${c.eventId} IN (${ids})`,
      )) {
        const list = customers.get(eventId) ?? [];
        list.push(this.keys.underDigest(customerId, { keyId: keyId ?? '', keyWrapped, keyOwner: keyOwner ?? '' }));
        customers.set(eventId, list);
      }
    return rows.flatMap((row) => {
      const leaf = storedLeaf(row.leaf);
      return leaf ? { row, leaf, customers: customers.get(row.eventId) ?? [] } : [];
    });
  }
}

/** Whether an event is about one of these, about that ticket, or about no customer. */
const isAbout =
  (whom: ReadonlySet<string>, ticketId: string | null) =>
  ({ row, customers }: Found): boolean =>
    (customers.length === 0 && (row.ticketId === null || row.ticketId === ticketId)) ||
    customers.some(({ id }) => whom.has(id)) ||
    (ticketId !== null && row.ticketId === ticketId);

/** What follows of a verdict in the change that records it. */
const followed: ReadonlySet<string> = new Set([
  'alert.raise',
  'alert.update',
  'brake.place',
  'hold.place',
  'hold.propose',
  'demand.open',
  'card-invitation.plan',
]);

/** As what events name the kinds of ids that they name. */
const typesOf: Readonly<Record<string, string>> = {
  alr: 'Alert',
  ast: 'Assistance',
  brk: 'Brake',
  clm: 'Claim',
  cru: 'CredentialUpdate',
  dcs: 'PaymentDecision',
  hld: 'Hold',
  inv: 'CardInvitation',
  rcg: 'Recognition',
  sup: 'StepUpDemand',
};

/** Events of these ids, and those about what these ids are. */
const namedBy = (ids: readonly string[]): readonly Sql[] => {
  const ofKind = (kind: string) => parts(ids.filter((id) => id.startsWith(`${kind}_`)));
  return [
    ...ofKind('evt').map((some) => sql`${e.id} IN (${some})`),
    ...Object.entries(typesOf).flatMap(([kind, type]) =>
      ofKind(kind).map((some) => sql`${e.subjectType} = ${type} AND ${e.subjectId} IN (${some})`),
    ),
  ];
};

const parts = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / atOnce) }, (_, at) => items.slice(at * atOnce, (at + 1) * atOnce));

/** One change recorded both, they name the same rule, and a signal in common. */
const isVerdictOf = ({ row, leaf }: Found, other: Found): boolean => {
  if (row.action !== 'rule.verdict' || !followed.has(other.row.action)) return false;
  if (row.transactionId !== other.row.transactionId || leaf.detail.rule !== other.leaf.detail.rule) return false;
  const signals = new Set(signalsIn(leaf.detail));
  return signalsIn(other.leaf.detail).some((signal) => signals.has(signal));
};

const agrees = ({ row, leaf, customers }: Found): boolean =>
  agreesWithLeaf(
    { bytes: row.leaf, hash: row.leafHash, leaf, customers },
    {
      actorId: row.actorId,
      action: row.action,
      outcome: row.outcome as 'ALLOWED' | 'DENIED',
      ...(row.ticketId === null ? {} : { ticketId: row.ticketId }),
      ...(row.subjectType === null ? {} : { subjectType: row.subjectType }),
      ...(row.subjectId === null ? {} : { subjectId: row.subjectId }),
    },
  ) && leaf.id === row.eventId;

/** The events with what each of them rests on, and which of the others rest on it. Nothing that only others have a part in is named. */
const linked = (
  found: readonly Found[],
  whom: ReadonlySet<string>,
  ticketId: string | null,
): readonly Omit<TrailStep, 'customer' | 'isCut'>[] => {
  const sound = found.filter(agrees);
  const begins = new Map<string, string>();
  for (const { row } of sound) if (row.subjectId !== null && !begins.has(row.subjectId)) begins.set(row.subjectId, row.eventId);
  const isTheirs = isAbout(whom, ticketId);
  const known = new Set(
    sound.flatMap((each) => {
      const { row, leaf } = each;
      return [row.eventId, row.subjectId, ...(isTheirs(each) ? [leaf.ticket, leaf.assistance] : [])];
    }),
  );
  const verdicts = sound.filter(({ row }) => row.action === 'rule.verdict');
  const ledTo = new Map<string, string[]>();
  const restsOn = new Map<string, readonly string[]>();
  for (const each of sound) {
    const { row, leaf } = each;
    // What was shown of others isn't named, only counted.
    const signals = signalsIn(leaf.detail).filter((signal) => {
      const source = sourceOfSignal(signal);
      return source === null || known.has(source);
    });
    const ids = [
      ...idsIn(leaf.detail),
      ...signals.flatMap((signal) => sourceOfSignal(signal) ?? []),
      ...verdicts.filter((verdict) => isVerdictOf(verdict, each)).map((verdict) => verdict.row.eventId),
      ...(leaf.assistance === null ? [] : [leaf.assistance]),
    ].filter((id) => known.has(id) && id !== row.subjectId);
    const all = [...new Set([...ids, ...signals])].slice(0, mostTrailLinks);
    restsOn.set(row.eventId, all);
    const before = new Set(all.map((id) => (id.startsWith('evt_') ? id : (begins.get(id) ?? ''))));
    for (const id of before) if (id !== '' && id !== row.eventId) ledTo.set(id, [...(ledTo.get(id) ?? []), row.eventId]);
  }
  return found.map((each) => ({
    leaf: each.leaf,
    leafIndex: each.row.leafIndex,
    isAltered: !restsOn.has(each.row.eventId),
    isTheirs: isTheirs(each),
    restsOn: restsOn.get(each.row.eventId) ?? [],
    ledTo: (ledTo.get(each.row.eventId) ?? []).slice(0, mostTrailLinks),
    others: each.customers.filter(({ id }) => !whom.has(id)).length,
  }));
};

/** What was asked about, as the disclosure names it. */
const startOf = ({ ticketId, transactionId }: TrailStart, customer: ShownObject['customer']): Shown => ({
  linkAssurance: 'NONE',
  shown: {
    type: ticketId === undefined ? 'Transaction' : 'Ticket',
    id: ticketId ?? transactionId ?? '',
    ticketId: null,
    customer,
    underAssistance: false,
  },
});
