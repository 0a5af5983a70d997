import { type GraphQLObjectType, isObjectType } from 'graphql';
import { catalogue } from '../../src/audit/events';
import { toldBy } from '../../src/audit/events-table';
import { isPoliced } from '../../src/authz/policy/classification';
import { classifySchema } from '../../src/authz/policy/classify-schema';
import { describeGraph } from '../../src/features/schema';

const { schema, classification } = describeGraph();
const coordinates = [...classification.fields.keys()];

const sourcesOf = (coordinate: string): readonly string[] => {
  const [type = '', field = ''] = coordinate.split('.');
  const { extensions } = (schema.getType(type) as GraphQLObjectType).getFields()[field] ?? {};
  return (extensions?.counterfoil as { derivedFrom?: readonly string[] } | undefined)?.derivedFrom ?? [];
};

/**
 * Why fields that nobody is kept from tell nothing of a value that somebody is kept from. A field that isn't here stops this test: either
 * it says what it is derived from (`from`, beside its class), or its reason is written down here and read by somebody.
 */
const ownFacts: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  Query: 'begins an answer: what it leads to has verdicts of its own',
  Mutation: 'begins an answer: what it leads to has verdicts of its own',
  Subscription: 'begins an answer: what it leads to has verdicts of its own',
  PageInfo: 'where a page ends',
  TicketConnection: 'a page of what the reader reaches',
  TicketEdge: 'a page of what the reader reaches',
  MessageConnection: 'behind Ticket.messages',
  MessageEdge: 'behind Ticket.messages',
  TransactionConnection: 'behind Customer.transactions',
  TransactionEdge: 'behind Customer.transactions',
  CredentialUpdateConnection: 'a page of what the reader reaches',
  CredentialUpdateEdge: 'a page of what the reader reaches',
  AlertConnection: 'a page of what is told to the reader, behind a second factor',
  HoldConnection: 'a page of what the reader reaches, behind a second factor',
  HoldEdge: 'a page of what the reader reaches, behind a second factor',
  AlertEvent:
    'that something happened to an alert that is told to the reader, behind a second factor; what it says is behind its own fields',
  AlertEdge: 'a page of what is told to the reader, behind a second factor',
  AuditEventConnection: 'a page of the log, behind a second factor and on record',
  DecisionStep:
    'a step of the log for whom the policy file names, behind a second factor and on record: no amounts, places, texts, nor others',
  AuditEventEdge: 'a page of the log, behind a second factor and on record',
  Brake: 'what a rule stopped a colleague in; names no customer, and the reasons have verdicts',
  BrakeConnection: 'brakes, whose fields have verdicts',
  BrakeEdge: 'brakes, whose fields have verdicts',
  Claim: 'what the reader recorded themselves: of which kinds it is, and when',
  PaymentDecision:
    'what a service that has nothing else of the customer is to do; each is on record unless it is CLEAR, and how often it may ask is bounded',
  StepUpDemand: 'what a service was told of itself, under our own id',
  WebhookDelivery: 'what left for whom the operator named: our own ids, and when',
  WebhookDeliveryConnection: 'messages, whose fields have verdicts',
  WebhookDeliveryEdge: 'messages, whose fields have verdicts',
  WebhookAttempt: 'how a receiver answered',
  RiskRule: 'the rules’ file, which names no customer',
  RiskRuleOutcomes: 'how many alerts of all customers together were said to be true',
  RiskThreshold: 'the rules’ file, which names no customer',
  Money: 'behind Transaction.amount',
  Redaction: 'behind Message.redactions',
  Freshness: 'when a source was asked last, and whether that is too long ago',
  Staff: 'a colleague, as the helpdesk names them to all of them',
  Viewer: 'the reader themselves, as their token says',
  WithheldField: 'the reader’s own rights, as the policy says; of nobody',
  FieldExposure: 'the policy file, which names no customer',
  RoleVerdict: 'the policy file, which names no customer',
  AccessDecision:
    'the policy file; with a ticket, Query.explainAccess asks for a second factor and an assistance, and is on record as showing the link',
  AuditActor: 'who acted, under our own id',
  NamedActor: 'who of the staff an id of the log stands for, for whom the policy file names; the name has a verdict of its own',
  AuditSubject: 'our own id of what an event is about',
  AuditChange: 'behind AuditEvent.changes, which leaves out what tells of a link or of payments',
  AuditObjects: 'our own ids',
  DisclosedField: 'behind AuditEvent.disclosedFields',
  AuditCount: 'how much people work',
  AuditReportLine: 'behind AuditReport.lines',
  AuditReport: {
    from: 'as asked',
    before: 'as asked',
    leavesFrom: 'places in the log',
    leavesTo: 'places in the log',
    disclosures: 'how many events there were',
    denials: 'how many events there were',
  },
  PolicyInForce: 'the policy file, by its digest',
  SourceReport: 'how a source is doing, and how much waits for it: of nobody in particular',
  Examination: 'the installation, which names no customer',
  ExaminedCount: 'the installation, which names no customer',
  PolicyCoverage: 'the policy file, which names no customer',
  ClassCount: 'the graph, which names no customer',
  RoleCoverage: 'the policy file, which names no customer',
  PolicyPreview: 'a ticket that is made up',
  PreviewedField: 'a ticket that is made up: its values are nobody’s',
  PolicyDiff: 'a file that whoever asks has sent or a policy that was in force, and the one in force',
  PolicyProblem: 'a file that whoever asks has sent',
  PolicyChange: 'a file that whoever asks has sent or a policy that was in force, and the one in force',
  PolicyVersion: 'policies that were in force, by their digests',
  PolicyVersionConnection: 'policies that were in force, by their digests',
  PolicyVersionEdge: 'policies that were in force, by their digests',
  AffectedDisclosures: 'how many disclosures of all customers together',
  AuditCheckpoint: 'signed to be shown to anybody',
  AuditAnchoring: 'signed to be shown to anybody',
  AuditInclusionProof: 'hashes',
  AuditConsistencyProof: 'hashes',
  AuditEvent: {
    id: 'our own id',
    at: 'when it happened',
    action: 'what was done, by whom it was done or for an auditor; behind a second factor and on record',
    outcome: 'whether it was allowed',
    actor: 'who acted',
    ticketId: 'our own id',
    ticketIds: 'our own ids',
    assistanceId: 'our own id',
    subject: 'our own id',
    changes: 'leaves out what tells of a link or of payments',
    objects: 'our own ids',
    leafIndex: 'its place',
    leafHash: 'a hash over a salt',
  },
  Assistance: {
    id: 'our own id',
    ticketId: 'our own id',
    purpose: 'what the asker chose',
    requestedBy: 'a colleague',
    ticket: 'narrowed to what the reader reaches',
    earlier: 'leads to objects whose fields have verdicts; for who decides',
    state: 'of the grant',
    automatic: 'how it began',
    needsApproval: 'by the asker’s role and doings, not by the customer',
    requestedAt: 'of the grant',
    beginsAt: 'of the grant',
    expiresAt: 'of the grant',
    endedAt: 'of the grant',
    endReason: 'what happened to the ticket or the grant; not about whom it is now',
  },
  Ticket: {
    id: 'our own id',
    source: 'configured',
    reference: 'the helpdesk’s number',
    status: 'the helpdesk’s',
    channel: 'the helpdesk’s',
    team: 'the helpdesk’s',
    createdAt: 'the helpdesk’s',
    updatedAt: 'the helpdesk’s',
    freshness: 'of the helpdesk’s word',
    assistance: 'the reader’s own',
    credentialUpdates: 'leads to objects whose fields have verdicts',
    recognitions: 'leads to objects whose fields have verdicts',
    alerts: 'leads to objects whose fields have verdicts',
    holds: 'leads to objects whose fields have verdicts; behind an assistance',
    assignee: 'a colleague',
    createdBy: 'a colleague',
    customerSetBy: 'colleagues: what they did to the ticket, not whom it is about',
  },
  Message: {
    id: 'our own id',
    channel: 'the helpdesk’s',
    createdAt: 'the helpdesk’s',
    author: 'leads to an object whose fields have verdicts; behind an assistance',
  },
  Customer: { id: 'our own id' },
  PaymentMethod: { id: 'our own id', source: 'configured' },
  UpdateOffer: { kind: 'one of all the kinds there are' },
  Transaction: { id: 'our own id' },
  CredentialUpdate: {
    id: 'our own id',
    kind: 'what the asker chose',
    state: 'how far the work is: that a supervisor has to act is for everybody who works with it, why is not',
    confirmation: 'leads to an object whose fields have verdicts',
    approval: 'leads to an object whose fields have verdicts',
    createdAt: 'when it was asked for',
    expiresAt: 'by the policy’s hours and the state',
    ticket: 'narrowed to what the reader reaches',
    requestedBy: 'a colleague',
    history: 'leads to objects whose fields have verdicts',
  },
  Alert: {
    id: 'our own id; that there is an alert is for whoever has its ticket, what it says is not',
    state: 'whether somebody has said what it was',
    raisedAt: 'when it was told',
    endedAt: 'when somebody said what it was',
    expiresAt: 'a week after the last that was known of it',
    ticket: 'narrowed to what the reader reaches',
    holds: 'leads to objects whose fields have verdicts; behind an assistance',
  },
  Hold: {
    id: 'our own id; that something waits is for whoever reaches it, what and why is not',
    state: 'how far the work is',
    subject: 'leads to an object whose fields have verdicts',
    placedAt: 'when it was placed',
    expiresAt: 'what the asker chose, or sooner: when something ends that whoever waits for it has to know',
    ticket: 'narrowed to what the reader reaches',
    owner: 'a colleague',
    history: 'leads to objects whose fields have verdicts',
  },
  HoldSubject: { kind: 'what the asker chose' },
  HoldTransition: {
    from: 'how far the work was',
    to: 'how far the work is',
    at: 'when it moved on',
    by: 'a colleague',
  },
  Recognition: {
    id: 'our own id; which payment it is about is not for everybody who has the ticket',
    state: 'the customer’s own answer',
    confirmation: 'leads to an object whose fields have verdicts',
    askedAt: 'when it was asked',
    expiresAt: 'by the policy’s hours',
    answeredAt: 'when they answered',
    ticket: 'narrowed to what the reader reaches',
  },
  Confirmation: {
    outcome: 'the customer’s own answer',
    channel: 'how the link went, which the kind of channel says for all customers',
    shownDigest: 'a keyed digest over a salt',
    at: 'when they answered',
  },
  Approval: { decision: 'a supervisor’s act', at: 'when they decided', by: 'a colleague' },
  CredentialUpdateTransition: {
    at: 'when it moved on',
    from: 'how far the work was',
    to: 'how far the work is',
    actor: 'staff, customer or system',
    by: 'a colleague',
  },
};

describe('a field that is derived from others', () => {
  it('says so, or there is a reason why it tells nothing of what somebody is kept from', () => {
    const unpoliced = [...classification.fields.values()].filter(({ policed }) => !policed);
    const unexplained = unpoliced.filter(({ coordinate, typeName, fieldName }) => {
      const reason = ownFacts[typeName];
      return sourcesOf(coordinate).length === 0 && (typeof reason === 'string' ? reason : reason?.[fieldName]) === undefined;
    });
    expect(unexplained.map(({ coordinate }) => coordinate)).toEqual([]);
    const explained = Object.entries(ownFacts).flatMap(([type, reasons]) =>
      typeof reasons === 'string' ? [] : Object.keys(reasons).map((field) => `${type}.${field}`),
    );
    // No reason for what isn't there, or what a verdict keeps.
    expect(explained.filter((coordinate) => classification.fields.get(coordinate)?.policed !== false)).toEqual([]);
  });

  it('is policed as what it is derived from', () => {
    const derived = coordinates.filter((coordinate) => sourcesOf(coordinate).length > 0);
    expect(derived.sort()).toEqual([
      'Alert.guidance',
      'Alert.reasons',
      'Alert.resolution',
      'Alert.rule',
      'Alert.severity',
      'AlertReason.code',
      'AlertReason.count',
      'AlertReason.countries',
      'AlertReason.text',
      'AlertReason.windowSeconds',
      'Assistance.link',
      'AuditEvent.disclosedFields',
      'AuditReport.denied',
      'AuditReport.lines',
      'AuditReport.masked',
      'AuditReport.revealed',
      'Confirmation.demandId',
      'Confirmation.proofs',
      'CredentialUpdate.failure',
      'CredentialUpdate.needsApproval',
      'CredentialUpdate.needsCode',
      'CredentialUpdate.riskRules',
      'CredentialUpdateTransition.reason',
      'GuidanceStep.code',
      'GuidanceStep.text',
      'Hold.cause',
      'Hold.effects',
      'Hold.moneyAtRisk',
      'HoldEffect.deadline',
      'HoldEffect.enforcedBy',
      'HoldEffect.kind',
      'HoldEffect.reversible',
      'HoldEffect.state',
      'HoldSubject.customers',
      'HoldTransition.reason',
      'Message.redactions',
      'Message.truncated',
      'PaymentMethod.updates',
      'Transaction.declineExplanation',
      'Transaction.status',
      'UpdateOffer.blockedBy',
    ]);
    expect(derived.filter((coordinate) => classification.fields.get(coordinate)?.policed !== true)).toEqual([]);
  });

  it('with a lower class stops the start, whichever it is', () => {
    for (const coordinate of coordinates.filter((each) => sourcesOf(each).length > 0)) {
      const lowered = describeGraph().schema;
      const [type = '', name = ''] = coordinate.split('.');
      const field = (lowered.getType(type) as GraphQLObjectType).getFields()[name];
      if (!field) throw new Error(`there is no ${coordinate}`);
      field.extensions = { counterfoil: { ...(field.extensions.counterfoil as object), class: 'INTERNAL' } };
      expect(() => classifySchema(lowered)).toThrow(`${coordinate} is INTERNAL and derived from `);
    }
  });

  it('in the log is left out where the graph shows events: it names a policed field', () => {
    const told = Object.entries(catalogue).flatMap(([action, kind]) => {
      const facts = [('detail' in kind ? kind.detail : undefined) ?? {}].flat().flatMap((each) => Object.keys(each));
      return facts.flatMap((fact) => toldBy(action, fact) ?? []);
    });
    expect([...new Set(told)].sort()).toEqual([
      'Alert.resolution',
      'Alert.rule',
      'Alert.severity',
      'AlertReason.code',
      'Confirmation.demandId',
      'Confirmation.proofs',
      'CredentialUpdate.failure',
      'CredentialUpdate.riskRules',
      'CredentialUpdateTransition.reason',
      'Customer.link',
      'PaymentMethod.expiryMonth',
      'Recognition.transaction',
      'Transaction.status',
    ]);
    expect(told.filter((coordinate) => !isPoliced(classification.fields.get(coordinate)?.class ?? 'PUBLIC'))).toEqual([]);
  });

  it('has an object type to stand in', () => {
    const types = Object.keys(ownFacts).filter((name) => !isObjectType(schema.getType(name)));
    expect(types).toEqual([]);
  });
});
