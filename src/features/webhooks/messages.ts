import type { ActionName } from '../../audit/events';
import type { Leaf } from '../../audit/leaf';
import type { WebhookType } from './webhook.entity';

/** What the log says that endpoints are told of, and as what. */
const told = {
  'alert.raise': 'alert.raised',
  'alert.concern': 'alert.raised',
  'alert.update': 'alert.updated',
  'alert.end': 'alert.ended',
  'alert.resolve': 'alert.ended',
  'brake.place': 'brake.placed',
  'brake.propose': 'brake.proposed',
  'brake.release': 'brake.released',
} as const satisfies { readonly [Name in ActionName]?: WebhookType };

export const toldActions = Object.keys(told);

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
export const messageOf = ({ action, subject, at, ticket }: Leaf): WebhookMessage | null => {
  const type = (told as Readonly<Record<string, WebhookType | undefined>>)[action];
  return type === undefined || subject === null ? null : { type, subject: subject.id, at, ticketId: ticket };
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
