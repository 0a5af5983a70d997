import { planDigest, planSubject } from '../../src/audit/access-plan';
import { finalizeEvent } from '../../src/audit/event';
import { verifierKeyOf } from '../../src/audit/note';
import { verifyExport } from '../../src/audit/verify';
import { roles } from '../../src/authz/actor';
import { loadPolicy } from '../../src/config/policy';
import type { SystemChange } from '../../src/db/change';
import { minimisationReport } from '../../src/features/audit/minimisation';
import { statedPlan } from '../../src/features/disclosures/stated-plans';
import { servedGraph } from '../../src/features/schema';
import { signersOf } from '../../src/ledger/checkpoints';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { eventsOf, told } from '../support/answers';
import type { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { engine } from '../support/database';
import { shownIn } from '../support/disclosed';
import { sampleTexts, sampleTicket, startSample } from '../support/sample';
import { card, helpdeskCustomer } from '../support/scripted-sources';

const context = `query Context($contact: Boolean = false, $less: Boolean = false) {
  ticketByReference(source: "demo", reference: "${sampleTicket}") {
    subject
    customer {
      displayName email @include(if: $contact) again: email @include(if: $contact) phone @skip(if: $less)
      paymentMethods { last4 } transactions(first: 2) { nodes { status paymentMethod { last4 brand } } }
    }
    messages { nodes { author { __typename ... on CustomerAuthor { displayName } ... on StaffAuthor { displayName } } } }
  }
}`;

type Event = Record<string, unknown> & { tx: string; ordinal: number; detail: Record<string, unknown>; subject: { id: string } };

let sample: Awaited<ReturnType<typeof startSample>>;
let test: TestApp;
const turn = () => test.app.signingLog?.sequencer.turn();
const plans = async () => (await test.events('plan.register')) as Event[];
/** What work discloses. */
const disclosedBy = async (work: () => Promise<unknown>) =>
  (await eventsOf(test, work)).filter(({ action }) => action === 'disclosure') as Event[];
const show = async (variables: Record<string, unknown> = {}) => {
  const answers: Awaited<ReturnType<TestApp['as']>>[] = [];
  const [event] = await disclosedBy(async () => answers.push(await test.as('ana', context, variables)));
  expect(answers[0]?.errors).toBeUndefined();
  return {
    event: event as Event,
    fields: Object.fromEntries((await shownIn(test, event)).map(([field, ...rest]) => [field, rest])),
  };
};

beforeEach(async () => {
  sample = await startSample();
  test = sample.test;
});
afterEach(() => test.stop());

describe('the plan of an operation', () => {
  it('is stated once, before the first disclosure that names it and in its transaction', async () => {
    const first = await show();
    const [plan, ...others] = await plans();
    expect(others).toEqual([]);
    expect(plan).toMatchObject({ tx: first.event.tx, ordinal: 0, subject: { type: planSubject, id: first.event.detail.plan } });
    expect(first.event.ordinal).toBe(1);
    expect(planDigest(plan?.detail as never)).toBe(first.event.detail.plan);
    const again = await show();
    expect([again.event.ordinal, again.event.detail.plan]).toEqual([0, first.event.detail.plan]);
    expect(await plans()).toHaveLength(1);
  });

  it('is not stated again by a gateway that starts anew, nor by another one, once it has its place', async () => {
    await show();
    await turn();
    await test.restart();
    await show();
    expect(await plans()).toHaveLength(1);
    if (engine !== 'mariadb') return;
    const replica = await test.replica();
    const asked = Promise.all([1, 2].map(() => test.as('ana', context)));
    await asked;
    await replica.close();
    expect(await plans()).toHaveLength(1);
  });

  it('is stated once more where it has no place yet, or its leaf was altered, so that none is named that isn’t there', async () => {
    await show();
    await test.restart();
    await show();
    expect(await plans()).toHaveLength(2);
    await turn();
    await tamper(test.app.database, "UPDATE audit_event SET subject_id = 'other' WHERE action = 'plan.register'");
    await test.restart();
    await show();
    expect(await plans()).toHaveLength(3);
  });

  it('isn’t stated for a disclosure that is lost', async () => {
    await show();
    const held = sample.payments.hold();
    test.clock.forward(301_000);
    await test.app.sources.refreshTicket('demo', sampleTicket);
    const other = `{ ticketByReference(source: "demo", reference: "${sampleTicket}") { customer { displayName paymentMethods { last4 } } } }`;
    const request = test.as('ana', other);
    await held.asked;
    sample.helpdesk.put(sampleTicket, { status: 'CLOSED' });
    await test.app.sources.refreshTicket('demo', sampleTicket);
    held.release();
    expect(told(await request).errors).toEqual([['', 'DENIED', 'ASSISTANCE_ENDED']]);
    expect(await plans()).toHaveLength(1);
  });

  it.each(roles)('fits into a leaf with every field there is (%s)', (role) => {
    const { classification } = servedGraph();
    const policy = loadPolicy(test.app.config.policyFile, classification, test.app.config);
    const table = policy.verdictTable({ roles: [role], mfa: true } as never);
    const policedFields = [...classification.fields.values()]
      .filter(({ policed }) => policed)
      .map((field) => ({ coordinate: field.coordinate, class: field.class, verdicts: table.get(field.coordinate) as never }))
      .filter(({ verdicts }) => verdicts !== undefined);
    const { digest, ...detail } = statedPlan({ digest: 'a'.repeat(64), policedFields }, policy.digest);
    const actor = { id: 'system:recorder', kind: 'system', roles: [] };
    const draft = {
      action: 'plan.register',
      outcome: 'ALLOWED',
      actor,
      version: 2,
      subject: { type: planSubject, id: digest },
      detail,
    } as const;
    expect(finalizeEvent(draft, 'atx_1', 0, new Date()).leaf.length).toBeLessThan(32_000);
  });
});

describe('a disclosure under its plan', () => {
  it('says what left and how often, and nothing of what didn’t, under one plan for all values of its conditions', async () => {
    const usual = await show();
    const contact = await show({ contact: true });
    const less = await show({ less: true });
    expect(new Set([usual, contact, less].map(({ event }) => event.detail.plan)).size).toBe(1);
    expect([usual, contact, less].map(({ fields }) => [fields['Customer.email'], fields['Customer.phone']])).toEqual([
      [undefined, ['mask:phone', 1]],
      // Twice in the answer.
      [
        ['mask:email', 2],
        ['mask:phone', 1],
      ],
      [undefined, undefined],
    ]);
    // Two cards in the list and one beside each payment; a brand only there.
    expect([usual.fields['PaymentMethod.last4'], usual.fields['PaymentMethod.brand']]).toEqual([
      ['reveal', 4],
      ['reveal', 2],
    ]);
    // Selected for whoever writes; only a customer wrote.
    expect([usual.fields['CustomerAuthor.displayName'], usual.fields['StaffAuthor.displayName']]).toEqual([
      ['mask:name', 1],
      undefined,
    ]);
  });

  it('tells links apart: whose values left under which, with what was left out for one of them only', async () => {
    sample.helpdesk.put('ZQREF-2', {
      customer: helpdeskCustomer('other', { displayName: 'Other', email: 'other@people.example.com' }),
    });
    sample.payments.put('pay-other', { helpdeskReference: null, email: 'other@people.example.com' }, [card('pm_other')]);
    await test.app.sources.refreshTicket('demo', sampleTicket);
    await test.app.sources.syncAll();
    for (const reference of [sampleTicket, 'ZQREF-2'])
      await test.as('ana', `{ ticketByReference(source: "demo", reference: "${reference}") { id } }`);
    const list = '{ tickets { nodes { reference customer { link paymentMethods { last4 expiryYear } } } } }';
    const [event] = await disclosedBy(() => test.as('ana', list));
    const { data } = told(await test.as('ana', list));
    const links = data.tickets.nodes.map(({ customer }: { customer: { link: string } }) => customer.link).sort();
    expect(links).toEqual(['MATCHED', 'VERIFIED']);
    const { linked, counts } = (event as Event).detail as { linked: Record<string, number[]>; counts: Record<string, number[]> };
    expect(Object.keys(linked).sort()).toEqual(['MATCHED', 'VERIFIED']);
    expect(Object.values(linked).flat().sort()).toEqual([0, 1]);
    const [matched] = linked.MATCHED as [number];
    const named = await test.app.database.query<{ id: string }>(
      "SELECT id FROM helpdesk_customer WHERE link = 'MATCHED' AND reference = 'other'",
    );
    const customer = await test.keys.customerUnderDigest(test.app.database, named[0]?.id ?? '');
    const salt = Buffer.from(String(event?.salt), 'base64url');
    expect((event as { customers?: string[] } | undefined)?.customers?.[matched]).toBe(customer?.digest(salt));
    const fields = await shownIn(test, event);
    expect(fields.filter(([field]) => field.startsWith('PaymentMethod.'))).toEqual([
      ['PaymentMethod.expiryYear', 'omit', 1],
      ['PaymentMethod.expiryYear', 'reveal', 2],
      ['PaymentMethod.last4', 'mask:hidden', 1],
      ['PaymentMethod.last4', 'reveal', 2],
    ]);
    expect(Object.keys(counts).sort()).toEqual(['MATCHED', 'NONE', 'VERIFIED']);
  });

  it('is to the auditor what it says with its plan, and what one from before says itself', async () => {
    const { event, fields } = await show({ contact: true });
    const former = { operation: null, plan: 'p', policy: 'q', fields: [['Customer.email', 'mask:email', 3]] } as const;
    await test.app.database.system('recorder', 'disclosure', async (change: SystemChange) => {
      change.recordFor({ id: 'act_old', kind: 'staff', roles: ['AGENT'] }, 'disclosure', {
        detail: { ...former, tickets: [], assistances: [], objects: {}, count: 0 } as never,
      });
      (Reflect.get(change, 'drafts') as { version: number }[]).forEach((draft) => {
        draft.version = 1;
      });
    });
    await turn();
    const read = `{ auditEvents(filter: { action: "disclosure" }, first: 100) {
      rowFindings nodes { id changes { name after } disclosedFields { field verdict count } } } }`;
    const { data } = told(await test.as('ada', read));
    const [own, old] = data.auditEvents.nodes;
    expect(own.id).toBe(event.id);
    const shown = own.disclosedFields.map(({ field, verdict, count }: Record<string, unknown>) => [field, [verdict, count]]);
    expect(Object.fromEntries(shown)).toEqual(fields);
    const changed = Object.fromEntries(own.changes.map(({ name, after }: Record<string, unknown>) => [name, after]));
    expect(changed).toEqual({
      count: String(event.detail.count),
      operation: event.detail.operation,
      plan: event.detail.plan,
      policy: (await plans())[0]?.detail.policy,
    });
    expect(old).toMatchObject({
      changes: [
        { name: 'count', after: '0' },
        { name: 'plan', after: 'p' },
        { name: 'policy', after: 'q' },
      ],
      disclosedFields: [{ field: 'Customer.email', verdict: 'mask:email', count: 3 }],
    });
    const { lines } = await minimisationReport(
      test.app.database,
      new Date('2026-09-01T00:00:00Z'),
      new Date('2026-09-02T00:00:00Z'),
    );
    const emails = lines.filter(({ field }) => field === 'Customer.email').map(({ masked }) => masked);
    expect(emails.reduce((sum, each) => sum + each, 0)).toBe(5);
  });
});

describe('an export', () => {
  const verify = (bytes: Buffer, csv?: Buffer) => {
    const { origin, signingKey } = test.app.config.audit;
    const keys = signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey)).map(verifierKeyOf);
    const readOf = (all: Buffer) => {
      let at = 0;
      return (into: Uint8Array): number => {
        const copied = all.copy(into, 0, at);
        at += copied;
        return copied;
      };
    };
    return verifyExport(readOf(bytes), { keys, strict: true, csv: csv && readOf(csv) });
  };
  const get = async (url: string) => {
    const headers = { authorization: `Bearer ${await test.token('ada')}` };
    return test.server.inject({ method: 'GET', url, headers });
  };
  const taken = async (query: string) => get(String((await get(`/audit/export${query}`)).headers.location));
  const trailerOf = (bytes: Buffer) =>
    (
      JSON.parse(bytes.toString('utf8').trimEnd().split('\n').at(-1) as string) as {
        trailer: { plans: { index: number; leaf: string }[] };
      }
    ).trailer;

  beforeEach(async () => {
    await show();
    await turn();
    test.clock.forward(3_600_000);
    await test.as('ana', context);
    await turn();
  });

  it('of a later span, or about a customer, carries the plans that its disclosures name, and verifies by itself', async () => {
    const whole = await taken('');
    expect([verify(whole.rawPayload).ok, trailerOf(whole.rawPayload).plans]).toEqual([true, []]);
    const [row] = await test.app.database.query<{ customer_id: string }>('SELECT customer_id FROM assistance LIMIT 1');
    const queries = [
      '?from=2026-09-01T10:00:00Z',
      `?customer=${row?.customer_id}`,
      `?from=2026-09-01T10:00:00Z&customer=${row?.customer_id}`,
    ];
    for (const query of queries) {
      const { rawPayload } = await taken(query);
      expect(verify(rawPayload)).toMatchObject({ ok: true, problem: null });
      const { plans: carried } = trailerOf(rawPayload);
      expect(carried.map(({ leaf }) => (JSON.parse(leaf) as Event).action)).toEqual(['plan.register']);
      // Without it, or with another one, it is refused.
      const text = rawPayload.toString('utf8');
      const without = Buffer.from(text.replace(/"plans":\[.*\]\}\}\n$/, '"plans":[]}}\n'), 'utf8');
      expect(verify(without)).toMatchObject({ ok: false, problem: null, flags: [{ kind: 'PLAN' }] });
      const edited = Buffer.from(text.replace(/(\\"Customer\.phone\\",\\")mask:phone/, '$1reveal'), 'utf8');
      expect(edited.equals(rawPayload)).toBe(false);
      expect(verify(edited)).toMatchObject({ ok: false, problem: { kind: 'ROOT' } });
    }
  });

  it('as CSV has their rows, and the manifest to check them by', async () => {
    const csv = await taken('?format=csv&from=2026-09-01T10:00:00Z');
    const [, manifest] = /^<([^>]+)>; rel="describedby"$/.exec(String(csv.headers.link)) ?? [];
    const { rawPayload } = await get(manifest ?? '');
    expect(csv.body.trimEnd().split('\r\n').at(-1)).toContain('"plan.register"');
    expect(verify(rawPayload, csv.rawPayload)).toMatchObject({ ok: true, problem: null });
    const shorter = Buffer.from(csv.body.replace(/[^\n]*"plan\.register"[^\n]*\n$/, ''), 'utf8');
    expect(verify(rawPayload, shorter)).toMatchObject({ ok: false, problem: { kind: 'ROW' } });
  });

  it('the report and the auditor’s page say that a plan’s leaf was altered, rather than what it doesn’t say', async () => {
    await tamper(test.app.database, "UPDATE audit_event SET subject_id = 'other' WHERE action = 'plan.register'");
    const { errors, data } = told(
      await test.as(
        'ada',
        '{ auditEvents(filter: { action: "disclosure" }, first: 1) { rowFindings nodes { disclosedFields { field } } } }',
      ),
    );
    expect(errors).toEqual([['auditEvents.nodes.0.disclosedFields', 'CONFLICT']]);
    expect(data.auditEvents).toMatchObject({ nodes: [{ disclosedFields: null }] });
    expect(data.auditEvents.rowFindings).toBeGreaterThan(0);
    const span = [new Date('2026-09-01T10:00:00Z'), new Date('2026-09-02T00:00:00Z')] as const;
    await expect(minimisationReport(test.app.database, ...span)).rejects.toThrow('isn’t stored as it was signed');
  });

  it('says nothing of who is shown in the leaf of a plan', async () => {
    const leaves = (await plans()).map((plan) => JSON.stringify(plan));
    expect(leaves.length).toBeGreaterThan(0);
    const found = [...Object.values(sampleTexts), sampleTicket, 'act_'].filter((text) =>
      leaves.some((leaf) => leaf.includes(text)),
    );
    expect(found).toEqual([]);
  });
});
