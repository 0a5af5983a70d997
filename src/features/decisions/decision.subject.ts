import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  customerOf,
  differing,
  endedEarly,
  type Judgement,
  missing,
  type RecordedEvent,
  readAtMost,
  type Subject,
  saysOtherwise,
} from '../../ledger/subjects';
import { paymentDecisions as d } from './decision.entity';
import { stepUpDemands as s } from './demand.entity';

const demandKind = 'step-up demands';
const decisionKind = 'decisions about payments';

const demandRows = select(
  {
    ...s.pick('id', 'customerId', 'payerId', 'source', 'state', 'strength', 'rule', 'ruleVersion', 'ownerId', 'stage'),
    ...s.pick('restsOn', 'openedAt', 'countsFrom', 'presentedAt', 'expiresAt', 'endedAt', 'failedDigests', 'proofDigest'),
    ...s.pick('authenticatedAt', 'knownDevice', 'openKey'),
  },
  sql`FROM ${s}`,
);
const decisionRows = select(
  d.pick('id', 'serviceId', 'keyDigest', 'stage', 'verdict', 'demandId', 'route', 'validUntil', 'at'),
  sql`FROM ${d}`,
);

const instantOf = (stated: unknown): Date => new Date(String(stated));
const textsOf = (stated: unknown): readonly string[] =>
  Array.isArray(stated) ? stated.filter((each): each is string => typeof each === 'string') : [];
const ends = ['demand.satisfy', 'demand.fail', 'demand.expire', 'demand.withdraw'];
const stateAfter: Readonly<Record<string, string>> = {
  'demand.satisfy': 'SATISFIED',
  'demand.fail': 'FAILED',
  'demand.expire': 'EXPIRED',
  'demand.withdraw': 'WITHDRAWN',
};

/** Two events of one millisecond have no order: of those that only add, the one that has most is the last. */
const fullest = (events: readonly RecordedEvent[]): RecordedEvent | undefined =>
  [...events].sort((a, b) => textsOf(a.detail.restsOn).length - textsOf(b.detail.restsOn).length).at(-1);

/** A demand is what its events say: whoever could make one SATISFIED would clear the payment, and a change of payment details with it. */
export const demandSubject: Subject<Selected<typeof demandRows> | undefined> = {
  type: 'StepUpDemand',
  kinds: [demandKind],
  places: [{ id: s.id, from: sql`FROM ${s} WHERE` }],
  stored: async (reads, ids, most) => {
    const rows = await readAtMost(reads, demandRows, sql`WHERE ${s.id} IN (${ids})`, most);
    const byId = rows && new Map(rows.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const all = (...actions: readonly string[]) => about.filter(({ action }) => actions.includes(action));
    const [opened] = all('demand.open');
    const alone = missing(demandKind, id, row, opened);
    if (alone || !row || !opened) return alone ?? { findings: [] };
    const presents = all('demand.present');
    const presented = fullest(presents);
    const latest = fullest([opened, ...all('demand.rest'), ...presents]) ?? opened;
    const [ended] = all(...ends);
    const proof = ended?.action === 'demand.satisfy' ? ended.detail : null;
    const tries = all('demand.try', 'demand.fail');
    const countsFrom = [...all('demand.rest'), ...presents].map(({ detail }) => instantOf(detail.countsFrom).getTime());
    const payer = presented?.detail.payer ?? null;
    const places = [payer, presented?.detail.source, presented?.actorId].join('|');
    return {
      findings: saysOtherwise(
        demandKind,
        id,
        differing(row, {
          // Of whom nobody knows here the leaf names none.
          customerId: opened.customers.length === 0 ? row.customerId : customerOf(opened, row.customerId),
          payerId: payer,
          source: presented?.detail.source ?? null,
          state: ended ? stateAfter[ended.action] : presented ? 'PRESENTED' : 'OPEN',
          strength: opened.detail.strength,
          rule: opened.detail.rule,
          ruleVersion: opened.detail.version,
          ownerId: presented?.actorId ?? null,
          stage: presented?.detail.stage ?? null,
          restsOn: latest.detail.restsOn,
          openedAt: opened.at,
          countsFrom: new Date(Math.max(opened.at.getTime(), ...countsFrom)),
          presentedAt: presents.length === 0 ? null : new Date(Math.min(...presents.map(({ at }) => at.getTime()))),
          expiresAt: instantOf(opened.detail.until),
          endedAt: ended?.at ?? null,
          proofDigest: proof?.reference ?? null,
          authenticatedAt: proof ? instantOf(proof.at) : null,
          knownDevice: proof?.device ?? false,
          openKey: ended ? null : presented ? places : `${row.customerId}|`,
        }),
        row.failedDigests.length === tries.length ? '' : 'failedDigests',
        endedEarly(ended?.action === 'demand.expire' ? ended : undefined, opened.detail.until),
      ),
    };
  },
};

/** What stopped a payment is what its event says for as long as it is kept; what is CLEAR has none. */
export const decisionSubject: Subject<Selected<typeof decisionRows> | undefined> = {
  type: 'PaymentDecision',
  kinds: [decisionKind],
  places: [{ id: d.id, from: sql`FROM ${d} WHERE ${d.verdict} <> 'CLEAR' AND` }],
  stored: async (reads, ids, most) => {
    const rows = await readAtMost(reads, decisionRows, sql`WHERE ${d.id} IN (${ids})`, most);
    const byId = rows && new Map(rows.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const [made] = about;
    // Its time is over within a day; its event stays.
    if (!row) return { findings: [] };
    if (!made) return missing(decisionKind, id, row, made) ?? { findings: [] };
    const { detail } = made;
    return {
      findings: saysOtherwise(
        decisionKind,
        id,
        differing(row, {
          serviceId: made.actorId,
          keyDigest: detail.key,
          stage: detail.stage,
          verdict: detail.verdict,
          demandId: detail.demand,
          route: detail.route,
          validUntil: instantOf(detail.until),
          at: made.at,
        }),
      ),
    };
  },
};
