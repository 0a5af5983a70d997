export const decisionStages = ['CHECKOUT', 'CAPTURE', 'FULFIL', 'RENEWAL'] as const;
/** Where a payment is when the pipeline asks. */
export type DecisionStage = (typeof decisionStages)[number];

export const paymentVerdicts = ['CLEAR', 'STEP_UP', 'REVIEW', 'HOLD'] as const;
/** What the pipeline is to do, from the least strict on. */
export type PaymentVerdict = (typeof paymentVerdicts)[number];

export const stepUpStrengths = ['CHALLENGE'] as const;
/** What authenticates the customer: a challenge of their issuer that they complete (EMV 3-D Secure). */
export type StepUpStrength = (typeof stepUpStrengths)[number];

export const strictest = (verdicts: readonly PaymentVerdict[]): PaymentVerdict =>
  paymentVerdicts.findLast((verdict) => verdicts.includes(verdict)) ?? 'CLEAR';
