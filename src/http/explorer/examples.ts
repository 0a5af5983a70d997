import { demoTickets } from '../../upstream/demo/cast';

/** One choice of the explorer's list. */
export interface Example {
  readonly key: string;
  readonly group: string;
  readonly label: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const context = `# What a sidebar asks for when an agent opens a ticket.
query Context($source: String!, $reference: String!) {
  ticketByReference(source: $source, reference: $reference) {
    id
    reference
    subject
    status
    assistance { state automatic expiresAt }
    customer {
      displayName
      email
      link
      paymentMethods { id brand last4 expiryMonth expiryYear status isDefault }
      transactions(first: 5) {
        totalCount
        nodes {
          createdAt
          amount { minorUnits currency }
          status
          declineCode
          declineAdvice
          risk { band }
        }
      }
    }
    messages(first: 3) { nodes { channel body createdAt } }
  }
}
`;

const queue = `# A list never begins an assistance: customers are there only where one is live.
query Queue {
  tickets(first: 10) {
    totalCount
    nodes { reference subject status channel updatedAt assistance { state } customer { displayName } }
  }
}
`;

const requested = `# Asks the customer to confirm a change. Take both ids from the answer about one of Ana's tickets; the customer's
# mail is then at /development/mail. kind: REPLACE_CARD, BILLING_ADDRESS, SET_DEFAULT or REMOVE.
mutation Ask($ticketId: ID!, $paymentMethodId: ID!, $key: String!) {
  requestCredentialUpdate(
    input: {
      ticketId: $ticketId
      paymentMethodId: $paymentMethodId
      kind: REPLACE_CARD
      reason: "You wrote that your card was stolen"
      idempotencyKey: $key
    }
  ) {
    id
    state
    riskRules
    needsCode
    needsApproval
  }
}
`;

const updates = `# Those of one's own and of one's tickets. A supervisor (sam) decides with approveCredentialUpdate(id: …) or
# rejectCredentialUpdate(id: …, reason: …).
query Updates {
  credentialUpdates(first: 10) {
    nodes {
      id
      kind
      state
      failure
      requestedBy { displayName }
      confirmation { outcome proofs at }
      history { at from to actor reason by { displayName } }
    }
  }
}
`;

const viewer = `query Viewer {
  viewer { id roles teams mfa knownToHelpdesk expiresAt }
}
`;

const explained = `# For the roles PAYMENTS, AUDITOR and ADMIN: pia, ada, oz.
query Explained($field: String!) {
  explainAccess(field: $field, role: AGENT) { field verdict class ceiling decidedBy line lift }
}
`;

const exposure = `# The policy in force, field by field. For the roles PAYMENTS, AUDITOR and ADMIN: pia, ada, oz.
query Exposure($type: String!) {
  exposure(type: $type) { coordinate class verdicts { role assurance verdict } }
}
`;

/** The first is what the page opens with. `demoSource` is the name of the demo helpdesk where one is configured. */
export const examplesFor = (demoSource: string | null): readonly Example[] => {
  const tickets = Object.entries(demoTickets).map(([key, { reference, about }]) => ({
    key,
    group: 'Tickets of the demo merchant',
    label: `${reference}: ${about}`,
    query: context,
    variables: { source: demoSource, reference },
  }));
  const others = { group: 'Other questions' };
  return [
    ...(demoSource === null ? [] : tickets),
    {
      group: 'Changing a payment method',
      key: 'request',
      label: 'Ask a customer to confirm a new card',
      query: requested,
      variables: { ticketId: 'tkt_…', paymentMethodId: 'pm_…', key: 'first-try' },
    },
    { group: 'Changing a payment method', key: 'updates', label: 'What became of updates', query: updates, variables: {} },
    { ...others, key: 'viewer', label: 'Who am I?', query: viewer, variables: {} },
    { ...others, key: 'queue', label: 'My tickets, as a list', query: queue, variables: {} },
    {
      ...others,
      key: 'explained',
      label: 'Why does an agent see an e-mail address so?',
      query: explained,
      variables: { field: 'Customer.email' },
    },
    {
      ...others,
      key: 'exposure',
      label: 'Who sees what of a payment method?',
      query: exposure,
      variables: { type: 'PaymentMethod' },
    },
  ];
};
