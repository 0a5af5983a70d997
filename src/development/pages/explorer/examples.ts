import { demoTickets } from '../../merchant/cast';

/** A value that the page fills in when the example is chosen. */
export type Filled =
  /** The id with this prefix in the latest answer that held one. */
  | { readonly fill: 'id'; readonly prefix: 'tkt' | 'pm' | 'cus' | 'cru' | 'ast' | 'evt' }
  /** An idempotency key that nobody used. */
  | { readonly fill: 'key' }
  /** This instant, or so many days before it. */
  | { readonly fill: 'time'; readonly daysAgo: number };

/** One choice of the explorer's list. */
export interface Example {
  readonly key: string;
  readonly group: string;
  readonly label: string;
  /** The demo people to whom it is answered. Whoever is none of them becomes the first. */
  readonly people: readonly [string, ...string[]];
  readonly query: string;
  readonly variables: Readonly<Record<string, string | Filled>>;
  /** The example whose answer has the ids that this one takes. */
  readonly follows?: string;
  /** Where a part or all of it is refused to these people: the reason that the errors give, or their code. */
  readonly refused?: string;
}

const idOf = (prefix: Extract<Filled, { fill: 'id' }>['prefix']): Filled => ({ fill: 'id', prefix });
const freshKey: Filled = { fill: 'key' };
const daysAgo = (days: number): Filled => ({ fill: 'time', daysAgo: days });

const context = `# What a sidebar asks for when an agent opens a ticket.
query Context($source: String!, $reference: String!) {
  ticketByReference(source: $source, reference: $reference) {
    id
    reference
    subject
    status
    assistance { state automatic expiresAt }
    customer {
      id
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
          open { minorUnits }
          refunds { amount { minorUnits } state }
          declineCode
          declineExplanation
          risk { band }
        }
      }
    }
    messages(first: 3) { nodes { channel body attachments { name type size } createdAt } }
  }
}
`;

const queue = `# A list never begins an assistance: opening one of these tickets does, where it is one's own.
query Queue {
  tickets(first: 10) {
    totalCount
    nodes { reference subject status channel updatedAt assistance { state } }
  }
}
`;

const requested = `# For the first payment method of the last ticket.
# The customer's mail is then at /development/mail.
# kind: REPLACE_CARD, BILLING_ADDRESS, SET_DEFAULT or REMOVE
mutation Ask($ticketId: ID!, $paymentMethodId: ID!, $idempotencyKey: String!) {
  requestCredentialUpdate(
    input: {
      ticketId: $ticketId
      paymentMethodId: $paymentMethodId
      kind: REPLACE_CARD
      reason: "You wrote that your card was stolen"
      idempotencyKey: $idempotencyKey
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

const updates = `# Those of one's own and of one's tickets, latest first.
# Why one is risky or failed is told under an assistance.
query Updates {
  credentialUpdates(first: 10) {
    nodes {
      id
      kind
      state
      requestedBy { displayName }
      confirmation { outcome at }
      history { at from to actor by { displayName } }
    }
  }
}
`;

const asked = `# Not one's own ticket: this needs a reason,
# and for agents the consent of a supervisor, sam.
mutation AskForAccess($ticketId: ID!) {
  beginAssistance(
    input: { ticketId: $ticketId, purpose: DECLINE, reason: "The customer calls, and nobody has the ticket yet" }
  ) {
    id
    state
    needsApproval
  }
}
`;

const accessToApprove = `query AccessToApprove {
  assistancesToApprove(first: 10) {
    id
    purpose
    reason
    requestedAt
    requestedBy { displayName }
    ticket { reference subject channel createdAt createdBy { displayName } customerSetBy { displayName } }
    link
    earlier { requestedBy { displayName } reason state rejectionReason requestedAt }
  }
}
`;

const accessApproved = `# The first of the list before. Nobody approves their own request.
mutation ApproveAccess($id: ID!) {
  approveAssistance(id: $id) { id state expiresAt }
}
`;

const updatesToApprove = `# Confirmed by the customer. The policy leaves them
# to a supervisor who didn't ask for them.
query UpdatesToApprove {
  credentialUpdates(filter: { awaitingMyDecision: true }, first: 10) {
    nodes {
      id
      kind
      riskRules
      reason
      requestedBy { displayName }
      before { brand last4 expiryMonth expiryYear }
      after { brand last4 expiryMonth expiryYear }
      confirmation { outcome proofs at }
    }
  }
}
`;

const updateApproved = `# The first of the list before. To refuse it:
# rejectCredentialUpdate(id: $id, reason: "…")
mutation ApproveUpdate($id: ID!) {
  approveCredentialUpdate(id: $id) { id state approval { decision by { displayName } } }
}
`;

const counted = `query Counted($from: DateTime!, $before: DateTime!) {
  auditCounts(from: $from, before: $before) { actorId action outcome count }
}
`;

const events = `# The log in its own order; whom an event is about is a pseudonym.
query Events($from: DateTime!) {
  auditEvents(filter: { from: $from, action: "disclosure" }, first: 5) {
    nodes { id at actor { id } ticketId customerId disclosedFields { field verdict count } leafIndex leafHash }
  }
}
`;

const proof = `# That the first event of the list before is in the tree whose head was signed.
query Proof($eventId: ID!) {
  auditInclusionProof(eventId: $eventId) { leafIndex leafHash path rootHash treeSize }
}
`;

const disclosed = `# Who was shown what about the customer of the ticket that was opened last.
query Disclosed($customerId: ID!) {
  disclosures(customerId: $customerId, first: 5) {
    nodes { id at actor { id } disclosedFields { field verdict count } }
  }
}
`;

const checkpoint = `query Checkpoint {
  auditCheckpoint { origin treeSize rootHash signedAt unanchored }
}
`;

const inForce = `query InForce($at: DateTime!) {
  policyInForce(at: $at) { digest since }
}
`;

const viewer = `query Viewer {
  viewer { id roles teams mfa knownToHelpdesk expiresAt }
}
`;

const explained = `query Explained($field: String!) {
  explainAccess(field: $field, role: AGENT) { field verdict class ceiling decidedBy line lift }
}
`;

const exposure = `# The policy in force, field by field.
query Exposure($type: String!) {
  exposure(type: $type) { coordinate class verdicts { role assurance verdict } }
}
`;

/** Tickets of the demo merchant that refuse something to Ana, and why. */
const refused: Partial<Readonly<Record<keyof typeof demoTickets, string>>> = {
  twoCandidates: 'LINK',
  selfMade: 'SELF_MADE',
  readdressed: 'SELF_MADE',
  closed: 'TICKET_CLOSED',
  unassigned: 'NO_ASSISTANCE',
  household: 'NOT_FOUND',
};

const groups = {
  tickets: 'Agents: a ticket of the demo merchant',
  agents: 'Agents: what comes next',
  supervisor: 'Supervisor',
  payments: 'Payments team',
  auditor: 'Auditor',
  privacy: 'Privacy officer',
  administrator: 'Administrator',
  service: 'Service',
} as const;

/** The first is what the page opens with. `demoSource` is the name of the demo helpdesk where one is configured. */
export const examplesFor = (demoSource: string | null): readonly Example[] => {
  const tickets = (Object.keys(demoTickets) as (keyof typeof demoTickets)[]).map((key): Example => {
    const { reference, about } = demoTickets[key];
    const reason = refused[key];
    return {
      key,
      group: groups.tickets,
      label: `${reference}: ${about}${reason === undefined ? '' : ` (${reason})`}`,
      people: [key === 'otherTeam' ? 'ben' : 'ana'],
      query: context,
      variables: { source: demoSource ?? '', reference },
      ...(reason === undefined ? {} : { refused: reason }),
    };
  });
  return [
    ...(demoSource === null ? [] : tickets),
    {
      key: 'request',
      group: groups.agents,
      label: 'Ask the customer of the last ticket to confirm a new card',
      people: ['ana'],
      query: requested,
      variables: { ticketId: idOf('tkt'), paymentMethodId: idOf('pm'), idempotencyKey: freshKey },
      follows: 'own',
    },
    {
      key: 'updates',
      group: groups.agents,
      label: 'What became of updates?',
      people: ['ana', 'ben', 'sam'],
      query: updates,
      variables: {},
    },
    {
      key: 'queue',
      group: groups.agents,
      label: 'My tickets and my team’s, as a list',
      people: ['ana', 'ben', 'sam'],
      query: queue,
      variables: {},
    },
    {
      key: 'access',
      group: groups.agents,
      label: 'Ask for access to the last ticket',
      people: ['ana'],
      query: asked,
      variables: { ticketId: idOf('tkt') },
      follows: 'unassigned',
    },
    {
      key: 'updates-to-approve',
      group: groups.supervisor,
      label: 'Which updates wait for my approval?',
      people: ['sam'],
      query: updatesToApprove,
      variables: {},
    },
    {
      key: 'approve-update',
      group: groups.supervisor,
      label: 'Approve the first of those updates',
      people: ['sam'],
      query: updateApproved,
      variables: { id: idOf('cru') },
      follows: 'updates-to-approve',
    },
    {
      key: 'access-to-approve',
      group: groups.supervisor,
      label: 'Who asks for access?',
      people: ['sam'],
      query: accessToApprove,
      variables: {},
    },
    {
      key: 'approve-access',
      group: groups.supervisor,
      label: 'Approve the first of those requests',
      people: ['sam'],
      query: accessApproved,
      variables: { id: idOf('ast') },
      follows: 'access-to-approve',
    },
    {
      key: 'exposure',
      group: groups.payments,
      label: 'Who sees what of a payment method?',
      people: ['pia', 'ada', 'pru', 'oz'],
      query: exposure,
      variables: { type: 'PaymentMethod' },
    },
    {
      key: 'in-force',
      group: groups.payments,
      label: 'Which policy is in force?',
      people: ['pia', 'ada'],
      query: inForce,
      variables: { at: daysAgo(0) },
    },
    {
      key: 'events',
      group: groups.auditor,
      label: 'What was disclosed since yesterday?',
      people: ['ada'],
      query: events,
      variables: { from: daysAgo(1) },
    },
    {
      key: 'proof',
      group: groups.auditor,
      label: 'Prove that the first of those events is in the log',
      people: ['ada'],
      query: proof,
      variables: { eventId: idOf('evt') },
      follows: 'events',
    },
    {
      key: 'counted',
      group: groups.auditor,
      label: 'Who did what how often in the last 30 days?',
      people: ['ada'],
      query: counted,
      variables: { from: daysAgo(30), before: daysAgo(0) },
    },
    {
      key: 'disclosed',
      group: groups.privacy,
      label: 'Who was shown what about the customer of the last ticket?',
      people: ['pru', 'ada'],
      query: disclosed,
      variables: { customerId: idOf('cus') },
      follows: 'own',
    },
    {
      key: 'explained',
      group: groups.administrator,
      label: 'Why does an agent see an e-mail address so?',
      people: ['oz', 'pia', 'ada'],
      query: explained,
      variables: { field: 'Customer.email' },
    },
    {
      key: 'checkpoint',
      group: groups.service,
      label: 'What is the latest head of the log?',
      people: ['pip', 'ana', 'ben', 'sam', 'pia', 'ada', 'pru', 'oz'],
      query: checkpoint,
      variables: {},
    },
    {
      key: 'viewer',
      group: groups.service,
      label: 'Who am I?',
      people: ['pip', 'ana', 'ben', 'sam', 'pia', 'ada', 'pru', 'oz'],
      query: viewer,
      variables: {},
    },
  ];
};
