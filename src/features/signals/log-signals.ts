import { LRUCache } from 'lru-cache';
import { type Leaf, storedLeaf } from '../../audit/leaf';
import { auditEvents } from '../../db/audit.entity';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { type Selected, select, wholeNumber } from '../../db/table';
import { auditLeaves } from '../../ledger/audit-tree.entity';
import { treeSize } from '../../ledger/integration';
import type { Signal, Subjects } from '../../risk/signal';
import { ulid } from '../../ulid';
import { logReader, ownSource } from './own-source';
import { recordSignals } from './recorder';
import { riskConsumers } from './signal.entity';

const l = auditLeaves.as('l');
const e = auditEvents.as('e');

/** Leaves of one transaction. */
const batch = 500;
/** What somebody is shown of one ticket within this time, in milliseconds, is told once. */
const shownWithin = 300_000;
/** Names of signals that were told lately and are remembered: of some sixty characters each, so within 4 MiB. */
const mostRemembered = 20_000;

const cursors = select(riskConsumers.pick('position'), sql`FROM ${riskConsumers}`);
const noAssistances = '"assistances":[]';
/** What is known of a leaf without reading it. It is canonical JSON, in which no text of anybody's stands. */
const placed = select(
  {
    ...l.pick('leafIndex'),
    ...e.pick('action', 'assistanceId', 'at'),
    unassisted: wholeNumber(sql`INSTR(${e.leaf}, ${noAssistances})`),
  },
  sql`FROM ${l} JOIN ${e} ON ${e.id} = ${l.eventId}`,
);
type Placed = Selected<typeof placed>;
const leaves = select({ ...l.pick('leafIndex'), ...e.pick('leaf') }, sql`FROM ${l} JOIN ${e} ON ${e.id} = ${l.eventId}`);

/** Events that tell of something here. */
const telling: ReadonlySet<string> = new Set([
  'disclosure',
  'credential.request',
  'credential.apply',
  'hold.place',
  'hold.propose',
  'hold.release',
  'recognition.ask',
]);

/** Who works on whose behalf, by the assistance that it is done under. */
export interface Assisted {
  readonly id: string;
  readonly actorId: string;
  /** Of the staff of the ticket's helpdesk; null where they aren't known there. */
  readonly staffId: string | null;
  readonly ticketId: string;
  readonly customerId: string;
  readonly team: string | null;
}

/** A change of payment details that staff asked for; or a rule did, on no ticket. */
export interface AskedUpdate extends Omit<Assisted, 'id' | 'ticketId'> {
  readonly id: string;
  readonly ticketId: string | null;
  readonly paymentCustomerId: string;
  readonly paymentMethodId: string;
  readonly kind: string;
}

/** What somebody holds, or has a customer asked about, and on which ticket. */
export interface HeldOn {
  readonly id: string;
  readonly ticketId: string | null;
  readonly customerId: string | null;
  readonly team: string | null;
}

/** Looks up what events name by id. */
export interface NamedByEvents {
  readonly assisted: (ids: readonly string[]) => Promise<readonly Assisted[]>;
  readonly updates: (ids: readonly string[]) => Promise<readonly AskedUpdate[]>;
  readonly holds: (ids: readonly string[]) => Promise<readonly HeldOn[]>;
  readonly questions: (ids: readonly string[]) => Promise<readonly HeldOn[]>;
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

/** What a showing under one assistance is called, whenever within its span it was. */
const shownName = (assistanceId: string, at: Date): string => `${assistanceId}:shown:${Math.floor(at.getTime() / shownWithin)}`;

const known = <T>(rows: readonly (T & { readonly id: string })[]): ReadonlyMap<string, T> =>
  new Map(rows.map((row) => [row.id, row]));

type Work = Pick<Assisted, 'staffId' | 'actorId'> & Omit<HeldOn, 'id'>;

const workSubjects = ({ staffId, actorId, ticketId, customerId, team }: Work): Subjects => ({
  staff: staffId ?? actorId,
  ...(ticketId === null ? {} : { ticket: ticketId }),
  ...(customerId === null ? {} : { customer: customerId }),
  ...(team === null ? {} : { team: team.slice(0, 64) }),
});

/** Somebody else has read these leaves. */
class Overtaken extends Error {}

/**
 * Makes signals of what the log says that staff did and customers had changed: of what is committed, in the log's order, outside of the
 * requests that did it. Any number of processes may do so at once; each event is told once.
 */
export class LogSignals {
  /** Signals of one showing each that are stored for certain: of an assistance that is looked at again and again no leaf is read. */
  private readonly told = new LRUCache<string, true>({ max: mostRemembered });

  constructor(
    private readonly database: Database,
    private readonly named: NamedByEvents,
    private readonly clock: () => Date,
  ) {}

  /** Reads to the end of the log, unless it is told to stop. Returns how many leaves it read. */
  async turn(isStopped: () => boolean = () => false): Promise<number> {
    let read = 0;
    while (!isStopped()) {
      const some = await this.step();
      read += some;
      if (some < batch) break;
    }
    return read;
  }

  private async step(): Promise<number> {
    const [stored] = await this.database.read(cursors, isReader);
    const from = stored?.position ?? (await this.begin());
    const rows = await this.database.read(placed, sql`WHERE ${l.leafIndex} >= ${from} ORDER BY ${l.leafIndex} LIMIT ${batch}`);
    const last = rows.at(-1);
    if (!last) return 0;
    const signals = await this.signalsOf(rows.filter((row) => this.isNews(row)).map(({ leafIndex }) => leafIndex));
    try {
      await this.database.sequence(async (commit) => {
        const isMine = sql`${riskConsumers.name} = ${logReader} AND ${riskConsumers.position} = ${from}`;
        if ((await commit.bookkeep(riskConsumers, { position: last.leafIndex + 1 }, isMine)) === 0) throw new Overtaken();
        await recordSignals({ ...commit, transactionId: `atx_${ulid()}`, at: this.clock() }, signals);
      });
      for (const { type, id } of signals) if (type === 'staff.disclosure') this.told.set(id, true);
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
    }
    return rows.length;
  }

  /** Something stands in it that isn't told yet. */
  private isNews({ action, assistanceId, at, unassisted }: Placed): boolean {
    if (action !== 'disclosure') return telling.has(action);
    if (assistanceId !== null) return !this.told.has(shownName(assistanceId, at));
    return unassisted === 0;
  }

  /** The assistances of a disclosure whose showing isn't told yet: a list may show something under each of its tickets. */
  private untold({ at, detail }: Leaf): readonly string[] {
    const shownAt = new Date(at);
    return textsOf(detail.assistances).filter((id) => !this.told.has(shownName(id, shownAt)));
  }

  /** What was done before there were signals is told by nobody. */
  private begin(): Promise<number> {
    return this.database.sequence(async (commit) => {
      const [twin] = await commit.read(cursors, isReader);
      if (twin) return twin.position;
      const position = await treeSize(commit);
      await commit.insert(riskConsumers, [{ name: logReader, position }]);
      return position;
    });
  }

  private async signalsOf(indexes: readonly number[]): Promise<readonly Signal[]> {
    if (indexes.length === 0) return [];
    const rows = await this.database.read(leaves, sql`WHERE ${l.leafIndex} IN (${indexes}) ORDER BY ${l.leafIndex}`);
    const events = rows.flatMap(({ leaf }) => storedLeaf(leaf) ?? []);
    const shown = events.flatMap((event) => (event.action === 'disclosure' ? this.untold(event) : []));
    const about = (type: string) => [
      ...new Set(events.flatMap(({ action, subject }) => (action !== 'disclosure' && subject?.type === type ? subject.id : []))),
    ];
    const [asked, held, questioned] = [about('CredentialUpdate'), about('Hold'), about('Recognition')];
    const [assisted, updates, holds, questions] = await Promise.all([
      shown.length === 0 ? [] : this.named.assisted([...new Set(shown)]),
      asked.length === 0 ? [] : this.named.updates(asked),
      held.length === 0 ? [] : this.named.holds(held),
      questioned.length === 0 ? [] : this.named.questions(questioned),
    ]);
    const [byAssistance, byUpdate, byWork] = [known(assisted), known(updates), known([...holds, ...questions])];
    return events.flatMap((event) => {
      if (event.action === 'disclosure') return this.untold(event).flatMap((id) => disclosed(event, id, byAssistance.get(id)));
      const { id } = event.subject ?? { id: '' };
      return event.subject?.type === 'CredentialUpdate' ? updated(event, byUpdate.get(id)) : intervened(event, byWork.get(id));
    });
  }
}

const isReader = sql`WHERE ${riskConsumers.name} = ${logReader}`;

/** What somebody was shown under an assistance. Lists of tickets show less, under none, and tell nothing here. */
const disclosed = ({ at }: Leaf, id: string, under: Assisted | undefined): readonly Signal[] => {
  if (!under) return [];
  return [
    {
      source: ownSource,
      id: shownName(id, new Date(at)),
      type: 'staff.disclosure',
      occurredAt: new Date(at),
      subjects: workSubjects(under),
      facts: {},
    },
  ];
};

/** What an update of this kind changes, as signals say it. */
export const changeOf = (kind: string): 'billing-address' | 'card' => (kind === 'BILLING_ADDRESS' ? 'billing-address' : 'card');

/** That a change was asked for, and that it was made. */
const updated = ({ action, at, detail }: Leaf, update: AskedUpdate | undefined): readonly Signal[] => {
  if (!update) return [];
  const occurredAt = new Date(at);
  // What a rule asked for is nobody's work.
  if (action === 'credential.request')
    return update.ticketId === null
      ? []
      : [
          {
            source: ownSource,
            id: `${update.id}:asked`,
            type: 'staff.update',
            occurredAt,
            subjects: workSubjects(update),
            facts: {},
          },
        ];
  if (detail.to !== 'APPLIED') return [];
  const { paymentCustomerId: customer, paymentMethodId: card, ticketId } = update;
  const subjects = { customer, card, ...(ticketId === null ? {} : { ticket: ticketId }) };
  const facts = { change: changeOf(update.kind) };
  return [{ source: ownSource, id: `${update.id}:applied`, type: 'credential.changed', occurredAt, subjects, facts }];
};

/** How a signal of each is named, and its type. */
const interventions: Readonly<Record<string, { readonly name: string; readonly type: 'staff.hold' | 'staff.question' }>> = {
  'hold.place': { name: 'placed', type: 'staff.hold' },
  'hold.propose': { name: 'placed', type: 'staff.hold' },
  'hold.release': { name: 'released', type: 'staff.hold' },
  'recognition.ask': { name: 'asked', type: 'staff.question' },
};

/**
 * That one of the staff placed, proposed or released a hold, or had a customer asked. What a rule or a customer placed, and what ended by itself, is
 * nobody's work.
 */
const intervened = ({ action, at, actor, detail }: Leaf, of: HeldOn | undefined): readonly Signal[] => {
  const kind = interventions[action];
  if (!of || !kind || detail.staffRows === undefined || detail.staffRows === null || actor.kind !== 'staff') return [];
  const staffId = typeof detail.staff === 'string' ? detail.staff : null;
  return [
    {
      source: ownSource,
      id: `${of.id}:${kind.name}`,
      type: kind.type,
      occurredAt: new Date(at),
      subjects: workSubjects({ ...of, staffId, actorId: actor.id }),
      facts: {},
    },
  ];
};
