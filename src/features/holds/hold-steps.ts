import { effectKey, isPending, planned as nothingSent, wasSent } from '../../background/effect';
import type { OpenedEffect } from '../../background/effects';
import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import type { DataKey } from '../../privacy/customer-keys';
import { ulid } from '../../ulid';
import type { HoldStep } from '../../upstream/payments/payments.port';
import { type Keys, sealField } from '../keys/keys.service';
import { type HoldStepPhase, type PaymentHold, type PaymentHoldEffect, paymentHoldSteps } from './hold.entity';
import type { HoldEffectKind } from './hold.states';
import { type StepRow, step, stepRows } from './holds.rows';

/** A call that is to be made, of one of a hold's customers. */
export interface PlannedStep {
  readonly kind: HoldEffectKind;
  readonly customerId: string;
  readonly source: string;
  readonly call: HoldStep;
}

/** A call as it is committed; without its words where the key that they are sealed with is gone. */
export interface OpenedStep extends Omit<OpenedEffect<HoldStep>, 'call'> {
  readonly call: HoldStep | null;
  readonly row: StepRow;
  readonly wasSent: boolean;
}

const textOf = (call: HoldStep): string => JSON.stringify(call);

const callIn = (text: string | null): HoldStep | null => {
  if (text === null) return null;
  const call = JSON.parse(text) as HoldStep;
  return 'until' in call ? { ...call, until: new Date(call.until) } : call;
};

/** The calls that holds take at their providers, as they are written down. */
export class HoldSteps {
  constructor(private readonly keys: Keys) {}

  /** What a call changes, as other holds' calls would name it. */
  targetOf({ source, call }: Pick<PlannedStep, 'source' | 'call'>): string {
    const what = 'subscription' in call ? ['renewal', call.subscription] : [call.list, call.of, call.value];
    return this.keys.searchDigest('hold-target', JSON.stringify([source, ...what])) as string;
  }

  /** As they are, in the order in which they are made. */
  async of(reads: Pick<Reads, 'read'>, holdId: string): Promise<readonly OpenedStep[]> {
    const rows = await reads.read(stepRows, sql`WHERE ${step.holdId} = ${holdId} ORDER BY ${step.ordinal}`);
    return rows.map((row) => ({
      id: row.id,
      state: row.state,
      row,
      call: callIn(this.keys.open(paymentHoldSteps, row, 'step')),
      wasSent: wasSent(row),
      key: effectKey(`${holdId}/${row.ordinal}`, row),
    }));
  }

  /**
   * Writes down calls that are to be made, after those that there are. They are sealed under a key of the hold's own, so that what was done at the provider
   * can be taken back from there although the customer is erased meanwhile; that key goes with the hold's end. Nothing new is done to who is erased.
   * Returns those that were written down.
   */
  async plan(
    change: Change,
    { id: holdId }: Pick<PaymentHold, 'id'>,
    {
      phase,
      planned,
      after,
    }: { readonly phase: HoldStepPhase; readonly planned: readonly PlannedStep[]; readonly after: number },
  ): Promise<readonly PlannedStep[]> {
    if (planned.length === 0) return [];
    const customerIds = planned.map(({ customerId }) => customerId);
    const keys = await this.keys.forOwners(change, [holdId, ...(phase === 'UNDO' ? [] : customerIds)]);
    const key = keys.get(holdId);
    if (!key) return [];
    const left = phase === 'UNDO' ? planned : planned.filter(({ customerId }) => keys.has(customerId));
    await change.insert(
      paymentHoldSteps,
      left.map((each, index) => this.rowOf(change, { holdId, phase, ordinal: after + index + 1, key, ...each })),
    );
    return left;
  }

  /** Whether nothing may be done any more to the customer whom a call is about. */
  async isErased(change: Change, { row }: OpenedStep): Promise<boolean> {
    return row.phase === 'APPLY' && !(await this.keys.forOwners(change, [row.customerId])).has(row.customerId);
  }

  private rowOf(
    change: Change,
    given: PlannedStep & {
      readonly holdId: string;
      readonly phase: HoldStepPhase;
      readonly ordinal: number;
      readonly key: DataKey;
    },
  ) {
    const { holdId, phase, ordinal, key, kind, customerId, source, call } = given;
    const id = `hls_${ulid(change.at.getTime())}`;
    return {
      id,
      holdId,
      ordinal,
      kind,
      phase,
      action: call.action,
      customerId,
      target: this.targetOf(given),
      source,
      keyId: key.id,
      stepSealed: sealField(paymentHoldSteps, id, 'step', key, textOf(call)),
      ...nothingSent(),
    };
  }
}

/** Still to be made, or to be asked about. */
export const pendingOf = (steps: readonly OpenedStep[]): OpenedStep | undefined => steps.find(isPending);

/** Calls of it are gone: their ordinals have gaps. */
const haveGaps = (steps: readonly OpenedStep[]): boolean => steps.some(({ row }, index) => row.ordinal !== index + 1);

/** Nobody knows here any more what was done at the provider for this effect: its calls, or some of the hold's, are gone, or can't be read. */
export const isUnknowable = (
  { kind, enforcedBy }: Pick<PaymentHoldEffect, 'kind' | 'enforcedBy'>,
  steps: readonly OpenedStep[],
): boolean => {
  const own = steps.filter(({ row }) => row.phase === 'APPLY' && row.kind === kind);
  if (own.some(({ call }) => call === null)) return true;
  return enforcedBy === 'PROVIDER' && (own.length === 0 || haveGaps(steps));
};

export const lastOrdinalOf = (steps: readonly OpenedStep[]): number => steps.at(-1)?.row.ordinal ?? 0;
