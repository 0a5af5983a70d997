import type { LinkAssurance, LiveAssistance, Role, SignedInActor } from '../../authz/actor';
import { explainDecline } from '../../authz/policy/declines';
import type { KnownContact } from '../../privacy/contacts-in-text';

/** Ids that no row has: what comes after the prefix is no ULID. */
const ids = {
  ticket: 'tkt_example',
  customer: 'cus_example',
  staff: 'stf_example',
  actor: 'act_example',
  assistance: 'ast_example',
};
const team = 'example';
const minute = 60_000;
const day = 86_400_000;

/** Who looks at the example: of one role, with what the rules about relations ask for. It is nobody, and no token is made for it. */
export const exampleActor = (role: Role, mfa: boolean, at: Date): SignedInActor => ({
  kind: role === 'SERVICE' ? 'service' : 'staff',
  id: ids.actor,
  roles: [role],
  teams: [team],
  mfa,
  authenticatedAt: at,
  expiresAt: new Date(at.getTime() + 15 * minute),
  staffIds: [ids.staff],
  helpdesks: ['example'],
});

/** The assistance under which the example is looked at. */
export const exampleAssistance = (at: Date): LiveAssistance => ({
  id: ids.assistance,
  ticketId: ids.ticket,
  customerId: ids.customer,
  expiresAt: new Date(at.getTime() + 60 * minute),
});

/**
 * What the panel asks for of the example: what a role has nothing of takes the whole answer with it, so each list is asked for by itself. Each type stands in it once, with all its fields that are values; a test holds it against the graph.
 */
export const panel: readonly string[] = [
  `query Ticket { ticket(id: "${ids.ticket}") {
    id source reference subject status channel team createdAt updatedAt
    freshness { confirmedAt stale }
    assignee { id displayName }
    assistance { id purpose state reason rejectionReason automatic needsApproval requestedAt beginsAt expiresAt endedAt endReason ticketId link }
    messages(first: 2) { nodes {
      id author { displayName } channel body truncated createdAt
      redactions { kind count } attachments { name type size }
    } }
    customer {
      id displayName email phone region link
      paymentsFreshness { stale }
      paymentMethods {
        id kind brand last4 expiryMonth expiryYear country timesSaved status isDefault token source
        billingAddress { line1 line2 city state postalCode country }
        updates { kind blockedBy }
      }
      transactions(first: 1) { nodes {
        id reference status declineCode declineAdvice declineExplanation createdAt
        amount { minorUnits currency } authorized { minorUnits } captured { minorUnits } refunded { minorUnits } open { minorUnits }
        presentment { minorUnits }
        refunds { amount { minorUnits } state reason createdAt }
        order { reference description } device { fingerprint } location { country } risk { band score signals }
        dispute { status reason openedAt } freshness { stale }
      } }
    }
    credentialUpdates {
      id kind state reason riskRules needsCode needsApproval failure createdAt expiresAt
      before { brand last4 expiryMonth expiryYear country isDefault billingAddress { city } }
      confirmation { at channel outcome proofs demandId shownDigest }
      approval { at decision reason }
      history { at from to reason actor }
    }
    recognitions { id state askedAt expiresAt answeredAt transaction { id } }
  } }`,
  `query Alerts { alerts(first: 1) { nodes {
    id rule severity state note raisedAt endedAt expiresAt resolution
    reasons { code text count windowSeconds countries }
    guidance { code text }
  } } }`,
  `query Holds { holds(first: 1) { nodes {
    id state cause reason placedAt expiresAt
    moneyAtRisk { minorUnits }
    subject { kind customers }
    effects { kind state enforcedBy reversible deadline }
  } } }`,
];

/** A payload of the panel, made up: no value is anybody's. Addresses are of domains and numbers that are set aside for examples (RFC 2606). */
export const exampleRoots = (link: LinkAssurance, at: Date): Readonly<Record<string, unknown>> => {
  const ago = (milliseconds: number): Date => new Date(at.getTime() - milliseconds);
  const from = (milliseconds: number): Date => new Date(at.getTime() + milliseconds);
  const knownContact: KnownContact = { phone: '+44 20 7946 0018', region: 'GB' };
  const under = (type: string, id: string, assurance: LinkAssurance, values: Readonly<Record<string, unknown>>) => ({
    shown: { type, id, ticketId: ids.ticket, customer: { id: ids.customer, digest: () => '' }, underAssistance: true },
    linkAssurance: assurance,
    knownContact,
    ticketId: ids.ticket,
    customerId: ids.customer,
    ...values,
  });
  /** What a ticket holds is under no link. */
  const ofTicket = (type: string, id: string, values: Readonly<Record<string, unknown>>) =>
    under(type, id, 'NONE', { id, ...values });
  const ofCustomer = (type: string, id: string, values: Readonly<Record<string, unknown>>) =>
    under(type, id, link, { id, ...values });
  const part = (values: Readonly<Record<string, unknown>>) => ofCustomer('Customer', ids.customer, values);
  const money = (minorUnits: number) => part({ minorUnits, currency: 'EUR' });
  const [code, advice] = ['stolen_card', 'do_not_try_again'] as const;
  const fresh = { confirmedAt: ago(minute), stale: false };
  const address = part({
    line1: '221b Example Street',
    line2: 'Flat 4',
    city: 'London',
    state: 'LND',
    postalCode: 'SW1A 2AA',
    country: 'GB',
  });
  const card = { brand: 'visa', last4: '4242', expiryMonth: 11, expiryYear: 2030, country: 'GB', isDefault: true };
  const customer = ofCustomer('Customer', ids.customer, {
    linkField: 'Customer.link',
    displayName: 'Joana Example',
    email: 'joana@example.com',
    phone: knownContact.phone,
    region: knownContact.region,
    link,
    paymentsFreshness: fresh,
  });
  const method = {
    ...ofCustomer('PaymentMethod', 'pm_example', {
      ...card,
      kind: 'CARD',
      timesSaved: 1,
      status: 'ACTIVE',
      token: 'sur_example',
      source: 'example-pay',
      billingAddress: address,
      updates: [part({ kind: 'REPLACE_CARD', blockedBy: 'UNDER_WAY' })],
    }),
    customer,
  };
  const payment = {
    ...ofCustomer('Transaction', 'txn_example', {
      reference: 'ch_example',
      status: 'DECLINED',
      declineCode: code,
      declineAdvice: advice,
      declineExplanation: explainDecline(code, advice),
      createdAt: ago(day),
      amount: money(4_200),
      authorized: money(4_200),
      captured: money(4_200),
      refunded: money(1_000),
      open: money(0),
      presentment: money(3_600),
      refunds: [part({ amount: money(1_000), state: 'SUCCEEDED', reason: 'requested_by_customer', createdAt: ago(day) })],
      order: part({ reference: 'ORDER-1001', description: 'One lamp, to be sent to joana@example.com' }),
      device: part({ fingerprint: 'dev_example' }),
      location: part({ country: 'FR' }),
      risk: part({ band: 'ELEVATED', score: 61, signals: ['country_mismatch'] }),
      dispute: part({ status: 'needs_response', reason: 'fraudulent', openedAt: ago(day / 2) }),
      freshness: fresh,
    }),
    customer,
  };
  const ticket = ofTicket('Ticket', ids.ticket, {
    source: 'example',
    reference: '1001',
    subject: 'My card was declined',
    status: 'OPEN',
    channel: 'EMAIL',
    team,
    createdAt: ago(day),
    updatedAt: ago(minute),
    freshness: fresh,
    openingDenial: null,
    provenance: {
      team,
      teamSetById: null,
      assigneeId: ids.staff,
      assignedById: null,
      createdById: null,
      customerSetByIds: [],
    },
    assignee: { id: ids.staff, displayName: 'Example Agent' },
    customer,
  });
  const message = ofTicket('Message', 'msg_example', {
    of: ticket,
    author: ofTicket('Message', 'msg_example', { graphType: 'CustomerAuthor', displayName: 'Joana Example' }),
    channel: 'EMAIL',
    body: 'Hello, my card [card number] was declined. Please write to joana@example.com.',
    truncated: false,
    createdAt: ago(day),
    redactions: [{ kind: 'CARD_NUMBER', count: 1 }],
    attachments: [ofTicket('Message', 'msg_example', { name: 'receipt.pdf', type: 'application/pdf', size: 20_480 })],
  });
  const update = ofCustomer('CredentialUpdate', 'cru_example', {
    kind: 'REPLACE_CARD',
    state: 'FAILED',
    reason: 'The customer asked for another card',
    riskRules: ['recent-dispute'],
    needsCode: true,
    needsApproval: true,
    failure: 'CARD_DECLINED',
    createdAt: ago(day),
    expiresAt: from(day),
    isForDecision: false,
    isAskers: true,
  });
  const ofUpdate = (values: Readonly<Record<string, unknown>>) => part({ ...values, update });
  const alert = ofCustomer('Alert', 'alr_example', {
    rule: 'decline-loop',
    severity: 'MEDIUM',
    state: 'OPEN',
    note: 'The customer calls for the third time',
    raisedAt: ago(60 * minute),
    endedAt: from(day),
    expiresAt: from(7 * day),
    resolution: 'UNSURE',
  });
  const hold = ofCustomer('Hold', 'hld_example', {
    state: 'ACTIVE',
    cause: 'AGENT',
    reason: 'The customer doesn’t know this payment',
    placedAt: ago(60 * minute),
    expiresAt: from(60 * minute),
    moneyAtRisk: money(4_200),
    isForDecision: false,
  });
  const ofHold = (values: Readonly<Record<string, unknown>>) => part({ ...values, hold });
  return {
    ticket: {
      ...ticket,
      assistance: ofTicket('Assistance', ids.assistance, {
        purpose: 'DECLINE',
        state: 'LIVE',
        reason: 'The customer called about a decline',
        rejectionReason: 'The ticket says nothing of payments',
        automatic: false,
        needsApproval: true,
        requestedAt: ago(2 * minute),
        beginsAt: ago(minute),
        expiresAt: from(60 * minute),
        endedAt: from(60 * minute),
        endReason: 'EXPIRED',
        link,
        decisionDenial: null,
      }),
      messages: { nodes: [message] },
      customer: { ...customer, paymentMethods: [method], transactions: { nodes: [payment] } },
      credentialUpdates: [
        {
          ...update,
          before: ofUpdate({ ...card, billingAddress: address }),
          confirmation: ofUpdate({
            at: ago(60 * minute),
            channel: 'mail',
            outcome: 'CONFIRMED',
            proofs: ['link', 'code'],
            demandId: 'sud_example',
            shownDigest: 'example',
          }),
          approval: ofUpdate({ at: ago(30 * minute), decision: 'APPROVED', reason: 'Checked with the customer' }),
          history: [ofUpdate({ at: ago(day), from: 'REQUESTED', to: 'AWAITING_CUSTOMER', reason: 'LINK_SENT', actor: 'SYSTEM' })],
        },
      ],
      recognitions: [
        ofCustomer('Recognition', 'rcg_example', {
          state: 'DISOWNED',
          askedAt: ago(60 * minute),
          expiresAt: from(day),
          answeredAt: ago(30 * minute),
          transaction: payment,
        }),
      ],
    },
    alerts: {
      nodes: [
        {
          ...alert,
          reasons: [
            part({
              alert,
              code: 'DECLINES',
              text: 'Five declines within an hour.',
              count: 5,
              windowSeconds: 3_600,
              countries: ['FR', 'GB'],
            }),
          ],
          guidance: [part({ alert, code: 'DO_NOT_RETRY', text: 'Don’t try this card again.' })],
        },
      ],
    },
    holds: {
      nodes: [
        {
          ...hold,
          subject: ofHold({ kind: 'TRANSACTION', customers: 5 }),
          effects: [
            ofHold({ kind: 'REVIEW', state: 'APPLIED', enforcedBy: 'PIPELINE', reversible: true, deadline: from(60 * minute) }),
          ],
        },
      ],
    },
  };
};
