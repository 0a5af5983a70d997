import type { HoldEffectKind, HoldEffectState } from '../holds/hold.states';
import { type DecisionStage, decisionStages, type PaymentVerdict } from './decision.words';
import { type HoldInTheWay, type Judged, type JudgedDemand, judge, proofLasts } from './judgement';

const at = new Date('2026-09-01T09:00:00Z');
const later = (milliseconds: number) => new Date(at.getTime() + milliseconds);
const hold = (kind: HoldEffectKind, state: HoldEffectState = 'APPLIED', given: Partial<HoldInTheWay> = {}): HoldInTheWay => ({
  id: `hld_${kind}`,
  effects: [{ kind, state }],
  expiresAt: later(3_600_000),
  customerIds: ['cus_1'],
  payerIds: ['pcu_1'],
  transactionId: null,
  isOfPayer: true,
  ...given,
});
const demand = (given: Partial<JudgedDemand> = {}): JudgedDemand => ({
  id: 'sup_1',
  rule: 'card-testing',
  customerId: 'cus_1',
  payerId: 'pcu_1',
  source: 'stripe',
  state: 'PRESENTED',
  ownerId: 'act_1',
  restsOn: ['evt_1'],
  expiresAt: later(3_600_000),
  authenticatedAt: null,
  ...given,
});
const judged = (given: Partial<Judged> = {}) =>
  judge({
    stage: 'CHECKOUT',
    isThere: true,
    payerId: 'pcu_1',
    payerNames: ['pcu_1', 'cus_1'],
    isCut: false,
    holds: [],
    demands: [],
    at,
    ...given,
  });
const verdict = (given: Partial<Judged> = {}) => judged(given).verdict;

describe('what an effect of a hold stops', () => {
  const table: Readonly<Record<HoldEffectKind, Readonly<Record<DecisionStage, PaymentVerdict>>>> = {
    BLOCK_NEW: { CHECKOUT: 'HOLD', CAPTURE: 'CLEAR', FULFIL: 'CLEAR', RENEWAL: 'CLEAR' },
    STEP_UP: { CHECKOUT: 'STEP_UP', CAPTURE: 'CLEAR', FULFIL: 'CLEAR', RENEWAL: 'REVIEW' },
    REVIEW: { CHECKOUT: 'REVIEW', CAPTURE: 'REVIEW', FULFIL: 'REVIEW', RENEWAL: 'REVIEW' },
    DEFER_CAPTURE: { CHECKOUT: 'CLEAR', CAPTURE: 'HOLD', FULFIL: 'CLEAR', RENEWAL: 'CLEAR' },
    PAUSE_RENEWAL: { CHECKOUT: 'CLEAR', CAPTURE: 'CLEAR', FULFIL: 'CLEAR', RENEWAL: 'HOLD' },
    HOLD_ORDER: { CHECKOUT: 'CLEAR', CAPTURE: 'CLEAR', FULFIL: 'HOLD', RENEWAL: 'CLEAR' },
  };
  const cases = Object.entries(table).flatMap(([kind, stages]) =>
    decisionStages.map((stage) => [kind as HoldEffectKind, stage, stages[stage]] as const),
  );

  test.each(cases)('%s at %s: %s', (kind, stage, expected) => {
    expect(verdict({ stage, holds: [hold(kind)] })).toBe(expected);
  });

  test.each<HoldEffectState>(['PENDING', 'APPLIED', 'UNKNOWN', 'NOT_POSSIBLE'])('counts while it is %s', (state) => {
    expect(verdict({ holds: [hold('BLOCK_NEW', state)] })).toBe('HOLD');
  });

  test('doesn’t count once it is taken back', () => {
    expect(judged({ holds: [hold('BLOCK_NEW', 'REVERSED')] })).toEqual({ verdict: 'CLEAR', restsOn: [], firstEnd: null });
  });
});

describe('a step-up', () => {
  test.each<[string, Partial<Judged>]>([
    ['off session or with a wallet', { isThere: false }],
    ['where nobody knows who pays', { payerId: null, payerNames: [] }],
    ['of another person', { holds: [hold('STEP_UP', 'APPLIED', { isOfPayer: false })], demands: [] }],
    ['by a demand on somebody else', { holds: [], demands: [demand({ customerId: 'cus_2', payerId: 'pcu_2' })] }],
  ])('is a review %s', (_, given) => {
    expect(verdict({ holds: [hold('STEP_UP')], ...given })).toBe('REVIEW');
  });

  test.each(decisionStages)('that is asked for and not met: at %s', (stage) => {
    expect(verdict({ stage, demands: [demand()] })).toBe(stage === 'CHECKOUT' ? 'STEP_UP' : 'REVIEW');
  });

  const met = (given: Partial<JudgedDemand> = {}) =>
    demand({ state: 'SATISFIED', restsOn: ['hld_STEP_UP'], authenticatedAt: later(-60_000), ...given });

  test('is none where it was met for what it is about', () => {
    expect(judged({ holds: [hold('STEP_UP')], demands: [met()] })).toEqual({ verdict: 'CLEAR', restsOn: [], firstEnd: null });
  });

  test.each<[string, Partial<JudgedDemand>]>([
    ['by another customer', { payerId: 'pcu_2' }],
    ['for something else', { restsOn: ['hld_other'] }],
    ['an hour ago', { authenticatedAt: later(-proofLasts) }],
    ['by nobody’s word', { authenticatedAt: null }],
    ['which isn’t proven', { state: 'PRESENTED' }],
  ])('stays where it was met %s', (_, given) => {
    expect(verdict({ holds: [hold('STEP_UP')], demands: [met(given)] })).toBe('STEP_UP');
  });

  test('that the customer failed is a review until its time is over', () => {
    expect(verdict({ demands: [demand({ state: 'FAILED' })] })).toBe('REVIEW');
    expect(verdict({ demands: [demand({ state: 'FAILED', expiresAt: at })] })).toBe('CLEAR');
  });

  test.each<JudgedDemand['state']>(['EXPIRED', 'WITHDRAWN'])('that is %s stops nothing', (state) => {
    expect(verdict({ demands: [demand({ state })] })).toBe('CLEAR');
  });
});

test('the strictest of all that stands in the way is the answer, which rests on each and lasts as long as the first', () => {
  const holds = [hold('STEP_UP'), hold('BLOCK_NEW', 'APPLIED', { expiresAt: later(60_000) }), hold('DEFER_CAPTURE')];
  expect(judged({ holds, demands: [demand()] })).toEqual({
    verdict: 'HOLD',
    restsOn: ['hld_STEP_UP', 'hld_BLOCK_NEW', 'sup_1'],
    firstEnd: later(60_000),
  });
});

describe('a demand that a service was told of because of something else', () => {
  const byHold = (given: Partial<JudgedDemand> = {}) => demand({ rule: null, restsOn: ['hld_STEP_UP'], ...given });
  it('is in the way as long as that stands, and no longer', () => {
    const elsewhere = { stage: 'CHECKOUT', demands: [byHold()] } as const;
    expect(verdict({ ...elsewhere, holds: [hold('STEP_UP')] })).toBe('STEP_UP');
    expect(verdict(elsewhere)).toBe('CLEAR');
  });
  it('is so through others that rest on it, in whatever order they are known', () => {
    const chain = [byHold({ id: 'sup_3', restsOn: ['sup_2'] }), byHold({ id: 'sup_2', restsOn: ['sup_1'] })];
    expect(verdict({ demands: [...chain, demand()] })).toBe('STEP_UP');
    expect(verdict({ demands: chain })).toBe('CLEAR');
    expect(verdict({ demands: [...chain, demand({ expiresAt: at })] })).toBe('CLEAR');
    // Two that rest on each other alone rest on nothing.
    expect(verdict({ demands: [byHold({ id: 'sup_2', restsOn: ['sup_3'] }), byHold({ id: 'sup_3', restsOn: ['sup_2'] })] })).toBe(
      'CLEAR',
    );
  });
});
