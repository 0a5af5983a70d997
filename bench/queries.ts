import { helpdeskSource } from './merchant';

export const queryNames = ['context', 'queue'] as const;
export type QueryName = (typeof queryNames)[number];

/** One ticket with ten messages, its customer, three payment methods and twenty transactions with their method. */
const context = `query Context($reference: String!) {
  ticketByReference(source: "${helpdeskSource}", reference: $reference) {
    id reference subject status channel createdAt updatedAt
    messages(first: 10) { nodes { id channel body createdAt } }
    customer {
      id displayName email phone region link
      paymentMethods { id kind brand last4 expiryMonth expiryYear status isDefault }
      transactions(first: 20) {
        nodes {
          id reference status declineCode declineAdvice createdAt
          amount { minorUnits currency }
          risk { band }
          paymentMethod { id brand last4 }
        }
      }
    }
  }
}`;

/** An agent's fifty tickets, each with its customer, their payment methods and five transactions. */
const queue = `query Queue {
  tickets(filter: { assignedToMe: true, status: [NEW, OPEN, PENDING] }, first: 50) {
    nodes {
      id reference subject status updatedAt
      customer {
        id displayName link
        paymentMethods { id kind brand last4 status }
        transactions(first: 5) { nodes { id status declineCode createdAt amount { minorUnits currency } } }
      }
    }
  }
}`;

export const requestBody = (name: QueryName, reference: string): string =>
  JSON.stringify(
    name === 'context'
      ? { query: context, operationName: 'Context', variables: { reference } }
      : { query: queue, operationName: 'Queue' },
  );

interface ContextAnswer {
  readonly data: {
    readonly ticketByReference: {
      readonly reference: string;
      readonly messages: { readonly nodes: readonly unknown[] };
      readonly customer: {
        readonly paymentMethods: readonly { readonly last4: string | null }[];
        readonly transactions: { readonly nodes: readonly { readonly paymentMethod: unknown }[] };
      };
    };
  };
}

interface QueueAnswer {
  readonly data: { readonly tickets: { readonly nodes: readonly ContextAnswer['data']['ticketByReference'][] } };
}

/** Throws unless the answer holds all that was asked for: an error comes with HTTP 200 too, and an empty list is quick. */
export const checkAnswer = (name: QueryName, text: string, reference: string): void => {
  const isWhole = (ticket: ContextAnswer['data']['ticketByReference'], transactions: number) =>
    // A card that is saved several times is one; a server that knows nothing of that lists it as often.
    [1, 2, 3].includes(ticket.customer.paymentMethods.length) &&
    ticket.customer.paymentMethods.every(({ last4 }) => last4 !== undefined) &&
    ticket.customer.transactions.nodes.length === transactions;
  let whole = false;
  try {
    if (name === 'context') {
      const { ticketByReference: ticket } = (JSON.parse(text) as ContextAnswer).data;
      whole =
        ticket.reference === reference &&
        ticket.messages.nodes.length === 10 &&
        isWhole(ticket, 20) &&
        ticket.customer.transactions.nodes.every(({ paymentMethod }) => paymentMethod !== null);
    } else {
      const { nodes } = (JSON.parse(text) as QueueAnswer).data.tickets;
      whole = nodes.length === 50 && nodes.every((ticket) => isWhole(ticket, 5));
    }
  } catch {
    whole = false;
  }
  if (!whole) throw new Error(`an answer to ${name} lacks something: ${text.slice(0, 400)}`);
};

/** What a server that protects shows masked, or cleaned: values in which answers to the same question may differ. */
const masked = new Set(['email', 'phone', 'body', 'declineCode']);
const withoutMasked = (text: string): string =>
  JSON.stringify(JSON.parse(text), (name, value: unknown) => (masked.has(name) ? '' : value));

/**
 * Throws unless two servers answer the same: an unprotected one the very same as the `unprotected` reference, a protected one
 * the same but for what is masked, which must be, or it would win by showing.
 */
export const compareAnswers = (query: QueryName, unprotected: string, other: string, isProtected: boolean): void => {
  const same = isProtected ? withoutMasked : (text: string) => JSON.stringify(JSON.parse(text));
  if (same(unprotected) !== same(other))
    throw new Error(`${query}: the contenders answer differently:\n${unprotected}\n${other}`);
  if (query === 'context' && (unprotected.includes('•••') || other.includes('•••') !== isProtected))
    throw new Error('the masks are not as they should be');
};
