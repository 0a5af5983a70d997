import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoTickets } from '../../src/development/merchant/cast';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { rulesWithModes } from '../support/rules-file';

const day = 86_400_000;
const { reference } = demoTickets.own;
const alerts = '{ alerts(first: 10) { nodes { rule severity reasons { code } guidance { code } } } }';
const opened = `{ ticketByReference(source: "demo", reference: "${reference}") { subject } }`;

describe('what the rules are told in time reaches whoever has the ticket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-in-time-'));
  let test: TestApp;
  let payer: { id: string; reference: string };
  beforeEach(async () => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'provider-deadline': 'ON', 'card-expiring': 'ON', 'recovery-then-payment': 'ON' }));
    test = await TestApp.start({ config: { rulesFile } });
    await test.app.signals.service.turn();
    const [row] = await test.app.database.query<{ id: string; paid: string }>(
      `SELECT c.payment_customer_id AS id, t.reference AS paid FROM helpdesk_ticket k
       JOIN helpdesk_customer c ON c.id = k.customer_id
       JOIN payment_transaction t ON t.payment_customer_id = c.payment_customer_id
       WHERE k.reference = ? LIMIT 1`,
      [reference],
    );
    payer = { id: String(row?.id), reference: `cus_demo_${/^ch_demo_(\d+)_/.exec(String(row?.paid))?.[1]}` };
  });
  afterEach(() => test.stop());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const turns = async () => {
    for (let turn = 0; turn < 30; turn += 1) {
      test.clock.forward(600_000);
      await test.app.deadlines.run();
    }
    await test.app.signals.service.turn();
  };
  const seenByAna = async (rule: string): Promise<readonly Record<string, unknown>[]> => {
    await test.as('ana', opened);
    // Of alerts on other tickets, which she hasn't opened, she sees the ids alone.
    const { data } = told(await test.as('ana', alerts));
    return data.alerts.nodes.filter((node: { rule: string }) => node.rule === rule);
  };
  const codes = (nodes: readonly Record<string, unknown>[], of: string) =>
    nodes.map((node) => (node[of] as { code: string }[]).map(({ code }) => code).sort());

  it('that an authorization ends within a day', async () => {
    test.payments.addTransaction(payer.reference, { amount: 4_200, status: 'AUTHORIZED' });
    await test.app.sources.syncAll();
    test.clock.forward(6 * day + 3_600_000);
    await test.app.sources.syncAll();
    await turns();
    const nodes = await seenByAna('PROVIDER_DEADLINE');
    expect(codes(nodes, 'reasons')).toEqual([['AUTHORIZATION_ENDS']]);
    expect(codes(nodes, 'guidance')).toEqual([['ANSWER_PROVIDER', 'ASK_CUSTOMER', 'RESOLVE']]);
  });

  it('that a card ends, with the offer of a replacement, until the customer’s turn to be asked comes', async () => {
    const { methods } = (await test.payments.fetchCustomer(payer.reference, new Date(0)))!;
    const card = methods.find((each) => each.kind === 'CARD')!;
    const ending = { expiryMonth: 9, expiryYear: 2026, status: 'EXPIRING' as const, isDefault: true };
    test.payments.changeMethod(payer.reference, card.reference, ending);
    await test.app.sources.syncAll();
    await turns();
    const nodes = await seenByAna('CARD_EXPIRING');
    expect(codes(nodes, 'reasons')).toEqual([['CARD_EXPIRES']]);
    expect(codes(nodes, 'guidance')).toEqual([['OFFER_REPLACEMENT', 'RESOLVE']]);
    const [verdict] = (await test.events('rule.verdict')).filter(
      ({ detail }) => (detail as { rule: string }).rule === 'card-expiring',
    );
    expect(verdict?.detail).toMatchObject({ effects: ['invite-replace-card'], done: ['alert', 'invite-replace-card'] });
    expect(await test.events('credential.request')).toEqual([]);
  });

  it('that more is paid than ever before just after a concern was reported, and that it was a report', async () => {
    await test.as('ana', opened);
    const report = 'mutation($input: ReportConcernInput!) { reportConcern(input: $input) { id } }';
    const input = { ticketId: await ticketIdOf(test, reference), note: 'The caller knew the card and nothing else.' };
    const { data } = told(await test.as('ana', report, { input }));
    test.clock.forward(1_000);
    test.payments.addTransaction(payer.reference, { amount: 9_000_000, status: 'CAPTURED' });
    await test.app.sources.syncAll();
    await test.app.signals.service.turn();
    const [verdict] = (await test.events('rule.verdict')).filter(
      ({ detail }) => (detail as { rule: string }).rule === 'recovery-then-payment',
    );
    expect(verdict?.detail).toMatchObject({
      mode: 'ON',
      late: false,
      signals: expect.arrayContaining([`counterfoil/${data.reportConcern.id}:concern`]),
    });
    const [reasons] = codes(await seenByAna('RECOVERY_THEN_PAYMENT'), 'reasons');
    expect(reasons).toContain('REPORTED');
    expect(reasons).not.toContain('RECOVERY');
  });
});
