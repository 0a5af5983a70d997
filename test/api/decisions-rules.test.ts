import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { recordSignals } from '../../src/features/signals/recorder';
import { subjectDigest } from '../../src/features/signals/subjects';
import type { Signal } from '../../src/risk/signal';
import { countOf } from '../support/answers';
import { TestApp } from '../support/app';
import { type Payer, Pipeline } from '../support/decisions';
import { rulesWithModes } from '../support/rules-file';

const minute = 60_000;

describe('a rule that is on', () => {
  let test: TestApp;
  let pipeline: Pipeline;
  let payer: Payer;
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-decisions-rules-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(async () => {
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await test.stop();
  });

  const start = async (mode: 'ON' | 'SHADOW') => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'card-testing': mode }));
    test = await TestApp.start({ config: { rulesFile } });
    pipeline = new Pipeline(test);
    [payer] = (await pipeline.payers(1)) as [Payer];
    await test.app.signals.service.turn();
  };
  /** So many cards are tried by one customer, each a minute after the other. */
  const tried = async (customer: string, cards = 4) => {
    const signals = Array.from({ length: cards }, (_, index): Signal => {
      const occurredAt = new Date(test.clock.now().getTime() - (cards - index) * minute);
      return {
        source: 'shop',
        id: `${customer}-${index}`,
        type: 'payment.attempt.declined',
        occurredAt,
        subjects: { customer, card: `card-${index}` },
        facts: {},
      };
    });
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, signals);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'shop' }, detail: { signals: signals.length } });
    });
    await test.app.signals.service.turn();
  };

  it('has the customer challenged at their next payment, by one demand that names what it rests on', async () => {
    await start('ON');
    await tried(payer.customerId);
    const found = (await test.events('rule.verdict')).map(
      ({ detail }) => detail as { rule: string; done: string[]; signals: string[] },
    );
    const verdict = found.find(({ rule }) => rule === 'card-testing');
    expect(verdict?.done).toEqual(['alert', 'challenge']);
    expect((await test.events('demand.open')).map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ rule: 'card-testing', strength: 'CHALLENGE', restsOn: verdict?.signals }),
    ]);
    const { verdict: answer, demandId } = await pipeline.decide({ customer: payer.reference });
    expect(answer).toBe('STEP_UP');
    expect(await countOf(test, 'step_up_demand', 'id = ? AND payer_id = ?', demandId, payer.id)).toBe(1);
  });

  it('has somebody challenged whom nobody knows here, by the name that the pipeline has for them', async () => {
    await start('ON');
    const name = subjectDigest(test.keys.digests, 'customer', 'cus_of_nobody', 'demo-pay');
    await tried(name);
    expect((await pipeline.decide({ customer: 'cus_of_nobody' })).verdict).toBe('STEP_UP');
    expect((await pipeline.decide({ customer: 'cus_of_somebody_else' })).verdict).toBe('CLEAR');
  });

  it('and in the shadow challenges nobody', async () => {
    await start('SHADOW');
    await tried(payer.customerId);
    expect((await test.events('rule.verdict')).map(({ detail }) => (detail as { rule: string }).rule)).toContain('card-testing');
    expect(await countOf(test, 'step_up_demand')).toBe(0);
    expect((await pipeline.decide({ customer: payer.reference })).verdict).toBe('CLEAR');
  });
});
