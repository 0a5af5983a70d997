import type { ActionName } from '../../audit/events';
import type { Leaf } from '../../audit/leaf';
import type { WebhookType } from './webhook.entity';

/** What becomes of a hold, by the state that it comes to; that what it stops is settled is told to nobody. */
const holds: Readonly<Record<string, WebhookType>> = {
  PROPOSED: 'hold.proposed',
  PLACING: 'hold.placed',
  RELEASING: 'hold.releasing',
  RELEASED: 'hold.ended',
  REJECTED: 'hold.ended',
  EXPIRED: 'hold.ended',
  LAPSED: 'hold.ended',
  FAILED: 'hold.ended',
};
const ofHold = ({ detail }: Leaf): WebhookType | null => holds[String(detail.to)] ?? null;

/** What the log says that endpoints are told of, and as what. */
const told = {
  'alert.raise': 'alert.raised',
  'alert.concern': 'alert.raised',
  'alert.update': 'alert.updated',
  'alert.end': 'alert.ended',
  'alert.resolve': 'alert.ended',
  'brake.place': 'brake.placed',
  'brake.propose': 'brake.proposed',
  'brake.renew': 'brake.renewed',
  'brake.release': 'brake.released',
  'hold.propose': ofHold,
  'hold.place': ofHold,
  'hold.approve': ofHold,
  'hold.reject': ofHold,
  'hold.extend': 'hold.extended',
  'hold.release': ofHold,
  'hold.expire': ofHold,
  'hold.lapse': ofHold,
  'hold.fail': ofHold,
  'demand.open': 'demand.opened',
  'demand.satisfy': 'demand.ended',
  'demand.fail': 'demand.ended',
  'demand.expire': 'demand.ended',
  'demand.withdraw': 'demand.ended',
  'recognition.answer': 'recognition.answered',
} as const satisfies { readonly [Name in ActionName]?: WebhookType | ((leaf: Leaf) => WebhookType | null) };

export const toldActions = Object.keys(told);
const isTold = (action: string): action is keyof typeof told => Object.hasOwn(told, action);

/** One message, before it is addressed to anybody. */
export interface WebhookMessage {
  readonly type: WebhookType;
  /** Our id of what it is about. */
  readonly subject: string;
  readonly at: string;
  readonly ticketId: string | null;
}

/**
 * What a leaf is told as; null where it isn't. Only what a leaf names by our own ids leaves: who receives it has no role and no second
 * factor, and asks the graph for the rest.
 */
export const messageOf = (leaf: Leaf): WebhookMessage | null => {
  const { action, subject, at, ticket } = leaf;
  if (subject === null || !isTold(action)) return null;
  const as = told[action];
  const type = typeof as === 'string' ? as : as(leaf);
  return type === null ? null : { type, subject: subject.id, at, ticketId: ticket };
};

/** A message as it is sent, CloudEvents 1.0 in JSON (structured mode). `source` is a URI reference. */
export const cloudEvent = (id: string, source: string, { type, subject, at, ticketId }: WebhookMessage): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type: `counterfoil.${type}`,
    subject,
    time: at,
    datacontenttype: 'application/json',
    data: { id: subject, ticketId },
  });
