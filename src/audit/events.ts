import type { CanonicalValue } from './canonical';
import { claimEvents } from './claim-events';
import { credentialEvents } from './credential-events';
import { decisionEvents } from './decision-events';
import type { EventDraft, LinkedCustomer, SealedNote } from './event';
import {
  count,
  digest,
  type EventKind,
  type Fact,
  type Facts,
  fact,
  flag,
  id,
  ids,
  later,
  ofStaff,
  oneOf,
  optional,
  staffRows,
  telling,
  text,
  time,
  word,
  words,
} from './event-facts';
import { holdEvents } from './hold-events';
import { recognitionEvents } from './recognition-events';

/** What an alert rests on. */
const alerted = {
  rule: telling('Alert.rule', word),
  version: count,
  severity: telling('Alert.severity', word),
  reasons: telling('AlertReason.code', words),
  signals: telling('Alert.rule', words),
  until: time,
};
/** Of a new alert, also whom among the staff it is about, whose payments it rests on, and by what an open one is told from others. */
const newAlert = {
  ...alerted,
  about: fact<string | null>('id among the staff, or null'),
  payer: telling('Customer.link', fact<string | null>('id, or null')),
  key: digest,
};

/** Everything that the log can say. What isn't here doesn't compile where it is recorded; `docs/audit.md` is made from it. */
export const catalogue = {
  'actor.first-seen': {
    reads: 'Somebody asked for the first time, and has this id from now on.',
    subject: 'Actor',
    detail: { identity: later(digest), named: optional(later(flag)) },
  },
  'actor.name': {
    reads: 'A token said for the first time what this actor is called. That is kept sealed, and no event says it.',
    subject: 'Actor',
  },
  'actor.name-erase': {
    reads: 'The second of two privacy officers had the kept name of this actor erased: nobody can read it any more.',
    subject: 'Actor',
  },
  'actor.name-propose': {
    reads: 'The first of two privacy officers asked that the kept name of this actor be erased.',
    subject: 'Actor',
    detail: { staffRows: ofStaff },
  },
  'alert.concern': {
    reads: 'An actor reported what they noticed on a ticket that they have.',
    subject: 'Alert',
    detail: { ...newAlert, staffRows },
    notes: ['note'],
  },
  'alert.end': {
    reads: 'Nobody said within a week what the alert was; it ended by itself.',
    subject: 'Alert',
  },
  'alert.forget': {
    reads: 'What happened to alerts, in so many events before this place, is kept for readers no more. The alerts are.',
    detail: { events: count, before: count },
  },
  'alert.raise': {
    reads: 'A rule found this about a customer; whoever has the ticket is told.',
    subject: 'Alert',
    detail: newAlert,
  },
  'alert.resolve': {
    reads: 'Somebody other than who reported it, or whom it is about, said what the alert was.',
    subject: 'Alert',
    detail: { rule: telling('Alert.rule', word), resolution: telling('Alert.resolution', word), staffRows },
  },
  'alert.snooze': {
    reads: 'Until then the rule raises nothing about this customer.',
    subject: 'AlertSnooze',
    detail: { alert: id, rule: telling('Alert.rule', word), until: time },
  },
  'alert.update': {
    reads: 'The rule found more, and the open alert says so.',
    subject: 'Alert',
    detail: alerted,
  },
  'assistance.approve': {
    reads: 'A supervisor consented to the assistance that `of` had asked for; it is live from now on.',
    subject: 'Assistance',
    detail: { of: id, expiresAt: time },
  },
  'assistance.begin': {
    reads: 'An actor opened a ticket, and an assistance began by itself.',
    subject: 'Assistance',
    detail: { purpose: word, expiresAt: time, grounds: oneOf('assigned', 'team'), staffRows },
  },
  'assistance.end': {
    reads: 'The assistance that `of` had ended: nothing is shown on its word any more.',
    subject: 'Assistance',
    detail: { reason: word, of: id },
  },
  'assistance.reject': {
    reads: 'A supervisor refused the assistance that `of` had asked for; it ended before it began.',
    subject: 'Assistance',
    detail: { of: id },
    notes: ['reason'],
  },
  'assistance.request': {
    reads: 'An actor asked for an assistance, with a reason; it is live at once unless it needs an approval.',
    subject: 'Assistance',
    detail: { purpose: word, needsApproval: flag, expiresAt: time, staffRows },
    notes: ['reason'],
  },
  'brake.place': {
    reads: 'A rule stopped the person of `of` in this; `actors` are the subjects that they are known by.',
    subject: 'Brake',
    detail: {
      of: id,
      actors: ids,
      staffRows: ofStaff,
      teams: digest,
      level: oneOf('ASSISTANCES', 'READS', 'SESSION'),
      rule: word,
      version: count,
      signals: words,
      count,
    },
  },
  'brake.extend': {
    reads: 'The brake on `of` is from now on these subjects of theirs too, and on who has these rows among the staff.',
    subject: 'Brake',
    detail: { of: id, actors: ids, staffRows: ofStaff },
  },
  'brake.propose': {
    reads: 'The first of two people asked that the brake on `of` be released.',
    subject: 'Brake',
    detail: { of: id, staffRows: ofStaff },
    notes: ['reason'],
  },
  'brake.renew': {
    reads: 'The rule found it again of `of`: the proposal to release the brake holds no more.',
    subject: 'Brake',
    detail: { of: id },
  },
  'brake.release': {
    reads: 'The second of two people released the brake on `of`.',
    subject: 'Brake',
    detail: { of: id },
    notes: ['reason'],
  },
  'browser-session.begin': {
    reads: 'This actor signed in with a browser; its session is over at the latest then.',
    subject: 'BrowserSession',
    detail: { person: id, entry: digest, until: time },
  },
  'browser-session.end': {
    reads:
      'A session of a browser ended: signed out, renewed, idle, its time over, or its tokens not taken or not given any more.',
    subject: 'BrowserSession',
    detail: { why: word },
  },
  'browser-session.forget': {
    reads: 'Sessions of browsers that ended more than a day ago were removed.',
    detail: { sessions: count },
  },
  ...claimEvents,
  ...credentialEvents,
  'customer.link': {
    reads: 'So many helpdesk customers were linked with payment customers, by assurance.',
    detail: { links: fact<{ readonly VERIFIED: number; readonly MATCHED: number; readonly NONE: number }>('counts') },
  },
  ...decisionEvents,
  denial: {
    reads: 'The actor tried what a rule or the policy forbids, so often within about a minute.',
    outcome: 'DENIED',
    detail: { rule: text, reason: word, count, tickets: optional(ids) },
  },
  disclosure: {
    reads:
      'The actor was shown so many values of these objects, fields and verdicts as `plan` has them by link; or took an export of the log.',
    version: 2,
    subject: ['AuditExport', null],
    detail: [
      {
        operation: fact<string | null>('keyed digest of the operation’s name, or null'),
        plan: digest,
        counts: telling(
          'Customer.link',
          fact<{ readonly [link: string]: readonly number[] }>('by link: values that left, for each field of the plan'),
        ),
        others: optional(
          fact<readonly (readonly [field: string, verdict: string, count: number])[]>('what left otherwise than the plan has it'),
        ),
        linked: optional(
          telling('Customer.link', fact<{ readonly [link: string]: readonly number[] }>('by link: places in `customers`')),
        ),
        tickets: ids,
        assistances: ids,
        objects: fact<{ readonly [type: string]: readonly string[] }>('ids by type'),
        count,
        part: optional(count),
        parts: optional(count),
      },
      {
        operation: oneOf('audit export'),
        fields: fact<readonly (readonly [field: string, verdict: string, count: number])[]>('fields, verdicts and counts'),
        from: fact<number>('leaf index'),
        to: fact<number>('leaf index'),
        checkpoint: fact<number>('tree size'),
        count,
      },
    ],
  },
  'frame-session.begin': {
    reads: 'A frame in a page of this helpdesk got a session, within the browser’s session `within`.',
    subject: 'FrameSession',
    detail: { person: id, within: id, source: text, entry: digest },
  },
  'frame-session.end': {
    reads: 'A frame’s session ended: signed out, renewed, or with the browser’s session.',
    subject: 'FrameSession',
    detail: { why: word },
  },
  'frame-session.forget': {
    reads: 'Sessions of frames that ended more than a day ago were removed.',
    detail: { sessions: count },
  },
  'frame.refuse': {
    reads:
      'What a frame brought was refused: a code that is none, used, or another frame’s, or what a helpdesk signed that is forged, too old, used, or of somebody else. Of each kind at most 20 within a minute.',
    outcome: 'DENIED',
    detail: { why: word },
  },
  ...holdEvents,
  'installation.examine': {
    reads:
      'The command line looked through the installation, and found so much that differs, by area; `sources` where it asked them.',
    subject: 'Examination',
    detail: { log: count, grants: count, server: count, operations: count, sources: fact<number | null>('count or null') },
  },
  'log.begin': {
    reads: 'The log begins, under this name.',
    subject: 'LogOrigin',
    detail: { origin: text, size: count },
  },
  'log.fork': {
    reads: 'The log goes on under a new name after a restore: what it was last known by, and how many leaves are missing.',
    subject: 'LogOrigin',
    detail: {
      origin: text,
      size: count,
      previous: text,
      anchored: fact<{ readonly size: number; readonly root: string } | null>('size and root, or null'),
      missing: count,
    },
  },
  'log.key': {
    reads: 'This key signs from here on.',
    subject: 'LogKey',
    detail: { key: text },
  },
  'log.time': { reads: 'It is `at`.' },
  'operation.register': {
    reads: 'An operator registered the document with this SHA-256; from now on it may be asked for by that.',
    subject: 'RegisteredOperation',
    detail: { kinds: words, bytes: count },
  },
  'operation.retire': {
    reads: 'An operator retired the document with this SHA-256; it may not be asked for by that any more.',
    subject: 'RegisteredOperation',
  },
  'outreach.effect': {
    reads: 'What became of the ticket that was to be opened at the helpdesk: `LOST` is that nobody knows yet.',
    subject: 'Outreach',
    detail: {
      state: oneOf('PLANNED', 'INTENDED', 'LOST', 'DONE', 'REFUSED', 'DROPPED'),
      refusal: optional(word),
      reference: optional(fact<string>('the ticket’s at the helpdesk')),
      reason: optional(word),
    },
  },
  'outreach.open': {
    reads:
      'A rule wants somebody to look at this customer’s payments: a ticket is to be opened at the helpdesk, one for the alert.',
    subject: 'Outreach',
    detail: {
      alert: id,
      rule: telling('Alert.rule', word),
      version: count,
      source: text,
      restsOn: telling('Alert.rule', ids),
    },
  },
  'plan.register': {
    reads: 'These fields leave under these verdicts, by link, in what disclosures call by this digest.',
    version: 2,
    subject: 'AccessPlan',
    detail: {
      operation: digest,
      policy: digest,
      links: words,
      fields: fact<readonly (readonly string[])[]>('fields, each with its verdict under each of the links'),
    },
  },
  'policy.in-force': {
    reads: 'The exposure policy with this digest is in force from now on; what it means, in so many bytes, is kept.',
    subject: 'Policy',
    detail: { bytes: later(count) },
  },
  ...recognitionEvents,
  'rule.verdict': {
    reads: 'A rule found this in the signals it names; `done` followed of it, and nothing of the other effects.',
    subject: 'Verdict',
    detail: {
      rule: telling('Alert.rule', word),
      version: count,
      mode: oneOf('SHADOW', 'ON'),
      late: flag,
      at: time,
      window: count,
      counts: telling('AlertReason.code', words),
      effects: telling('Alert.rule', words),
      done: words,
      signals: telling('Alert.rule', words),
    },
  },
  'rules.in-force': {
    reads: 'From now on signals are judged by these rules, whose digest over their file’s meaning this is; the others are off.',
    subject: 'Rules',
    detail: { on: words, shadow: words },
  },
  'secret.create': {
    reads: 'The installation made a secret of its own.',
    subject: 'Secret',
  },
  'session.revoke': {
    reads: 'A session, or all of somebody’s, was ended: by the identity provider, or by the rule that it names.',
    subject: 'SessionRevocation',
    detail: { entry: later(digest), until: later(time), rule: optional(word), restsOn: optional(ids) },
  },
  'sign-in.refuse': {
    reads:
      'Somebody came back from an identity provider with what begins no session: another’s, an old or a changed answer, or a no. At most twenty of each kind a minute.',
    outcome: 'DENIED',
    detail: { why: word },
  },
  'signal.consume': {
    reads: 'Something begins to be done about signals, under this name; what was done its own events say.',
    subject: 'SignalConsumer',
  },
  'signal.holds-spent': {
    reads: 'By what this sender told, as many holds were placed within a day as may be: this one was proposed instead.',
    subject: 'Hold',
    detail: { source: text, most: count },
  },
  'signal.receive': {
    reads: 'A sender told of so many signals that weren’t known.',
    subject: 'SignalSource',
    detail: { signals: count },
  },
  'signal.remove': {
    reads: 'So many signals, or days of them, were removed: their time is over.',
    detail: [{ signals: count }, { days: count }],
  },
  'source.first-seen': {
    reads: 'A source is configured for the first time.',
    subject: 'Source',
  },
  'source.ingest-payments': {
    reads: 'What a payment source says about so many customers was stored; or it has this one no more.',
    subject: ['Source', 'PaymentCustomer'],
    detail: [{ customers: count }, { gone: flag }],
  },
  'source.ingest-tickets': {
    reads:
      'What a helpdesk says about tickets was stored, and so many assistances ended by it; or a ticket is gone; or can’t be read.',
    subject: 'Source',
    detail: [{ tickets: count, ended: count }, { gone: flag, ended: count }, { unreadable: count }],
  },
  'source.messages-changed': {
    reads:
      'So many messages of this ticket were edited, emptied or removed at the helpdesk, and so here; never what stood there.',
    subject: 'Ticket',
    detail: { edited: count, removed: count },
  },
  'source.sync': {
    reads: 'The actor had the running gateway read every source to its end, from the command line.',
  },
  'source.webhook': {
    reads: 'A source’s message was accepted, or done with.',
    subject: ['Webhook', null],
    detail: { source: text, state: word, webhooks: optional(count) },
  },
  'webhook.attempt': {
    reads: 'A message was sent to an endpoint, or could not be; `disables`: it said that it is gone, and is told nothing more.',
    subject: 'WebhookDelivery',
    detail: {
      endpoint: word,
      number: count,
      status: fact<number | null>('count or null'),
      fault: fact<string | null>('word or null'),
      disables: flag,
    },
  },
  'webhook.endpoint': {
    reads: 'An endpoint is told what happens from now on; `url` is the SHA-256 of its address.',
    subject: 'WebhookEndpoint',
    detail: { url: digest },
  },
  'webhook.forget': {
    reads: 'So many messages to endpoints, and tries to send them, were removed: their time is over.',
    detail: { messages: count, attempts: count },
  },
  'webhook.queue': {
    reads: 'An endpoint is to be told what of its types the log says from place `from` to before `to`.',
    subject: 'WebhookEndpoint',
    detail: { messages: ids, count, from: count, to: count },
  },
  'webhook.replay': {
    reads: 'The actor had so many messages sent again.',
    subject: 'WebhookEndpoint',
    detail: { count, from: time, before: fact<string | null>('UTC time or null') },
  },
} as const satisfies Record<string, EventKind>;

type Catalogue = typeof catalogue;
export type EventName = keyof Catalogue;

/** Actions whose changes are recorded under other names, or leave no event: only a denial names them. */
export type QuietAction = 'assistance.expire' | 'audit.export' | 'credential.note' | 'recognition.note';
/** What an actor can be permitted to do. */
export type ActionName = EventName | QuietAction;

type Value<F> = F extends Fact<infer T, boolean> ? T : never;
type Detail<F> = { readonly [Name in keyof F as F[Name] extends Fact<CanonicalValue, true> ? never : Name]: Value<F[Name]> } & {
  readonly [Name in keyof F as F[Name] extends Fact<CanonicalValue, true> ? Name : never]?: Value<F[Name]>;
};
type OneDetail<F> = F extends Facts ? Detail<F> : never;
type DetailPart<Kind> = Kind extends { readonly detail: infer F }
  ? { readonly detail: F extends readonly (infer Each)[] ? OneDetail<Each> : OneDetail<F> }
  : { readonly detail?: undefined };

type Types<S> = S extends readonly (infer Each)[] ? Each : S;
type Subject<Type> = { readonly type: Type; readonly id: string };
type SubjectPart<Kind> = Kind extends { readonly subject: infer S }
  ? null extends Types<S>
    ? { readonly subject?: Subject<Exclude<Types<S>, null>> }
    : { readonly subject: Subject<Types<S>> }
  : { readonly subject?: undefined };

/** Names of the texts that belong to an event. */
export type NoteOf<Name extends EventName> = Catalogue[Name] extends { readonly notes: readonly (infer Note extends string)[] }
  ? Note
  : never;

/** What an event states beside its name and its actor. */
export type EventFacts<Name extends EventName> = Pick<EventDraft, 'ticketId' | 'assistanceId'> & {
  readonly customers?: readonly LinkedCustomer[];
  readonly notes?: readonly SealedNote<NoteOf<Name>>[];
} & SubjectPart<Catalogue[Name]> &
  DetailPart<Catalogue[Name]>;

/** What an event states in its detail. */
export type DetailOf<Name extends EventName> = DetailPart<Catalogue[Name]>['detail'];

/** An event as it is appended: any of the catalogue, with its own subject and detail. */
export type LogEvent = {
  [Name in EventName]: { readonly action: Name; readonly actor: EventDraft['actor'] } & EventFacts<Name>;
}[EventName];

/** An event with the outcome that its name means. */
export const draftOf = (event: { readonly action: EventName } & Omit<EventDraft, 'outcome' | 'action'>): EventDraft => {
  const kind: EventKind | undefined = catalogue[event.action];
  return { ...event, outcome: kind?.outcome ?? 'ALLOWED', version: kind?.version };
};
