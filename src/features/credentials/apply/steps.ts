import { effectKey, planned as nothingSent, wasSent } from '../../../background/effect';
import type { OpenedEffect } from '../../../background/effects';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { type Sql, sql } from '../../../db/sql';
import { ulid } from '../../../ulid';
import type { ProviderStep } from '../../../upstream/payments/payments.port';
import type { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import {
  type CredentialStep,
  type CredentialUpdate,
  credentialSteps,
  credentialUpdates,
  type StepPhase,
} from '../credential-update.entity';
import { factsOf } from '../credential-update.moves';
import { isPendingRow, lastOrdinals, stepCounts, stepRows, step as steps } from './applying.rows';
import type { PlannedStep } from './provider-steps';

export interface OpenedStep extends OpenedEffect<ProviderStep> {
  readonly phase: StepPhase;
  readonly wasSent: boolean;
}

/** The calls that an update takes at the provider, as they are written down. */
export class Steps {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
  ) {}

  /** As they are committed now, in the order in which they are made. */
  async of(updateId: string): Promise<readonly OpenedStep[]> {
    const rows = await this.database.read(stepRows, sql`WHERE ${steps.updateId} = ${updateId} ORDER BY ${steps.ordinal}`);
    return rows.map((row) => ({
      id: row.id,
      phase: row.phase,
      state: row.state,
      call: JSON.parse(this.keys.open(credentialSteps, row, 'step') ?? 'null') as ProviderStep,
      wasSent: wasSent(row),
      key: effectKey(`${updateId}/${row.ordinal}`, row),
    }));
  }

  /** Writes down calls that are to be made, after those that there are. */
  async plan(
    change: Change,
    seal: CustomerSeal,
    update: CredentialUpdate,
    phase: StepPhase,
    planned: readonly PlannedStep[],
  ): Promise<void> {
    const [last] = await change.read(lastOrdinals, sql`WHERE ${steps.updateId} = ${update.id}`);
    const before = last?.ordinal ?? 0;
    for (const [index, { step, undo }] of planned.entries()) {
      const id = `cst_${ulid(change.at.getTime())}`;
      await change.insert(credentialSteps, {
        id,
        updateId: update.id,
        ordinal: before + index + 1,
        phase,
        action: step.action,
        keyId: update.keyId,
        stepSealed: seal.seal(credentialSteps, id, 'step', JSON.stringify(step)),
        undoSealed: undo === null ? null : seal.seal(credentialSteps, id, 'undo', JSON.stringify(undo)),
        ...nothingSent(),
      });
    }
  }

  /** What was done before a refusal is taken back, last first, and a card that was entered for it goes. */
  async planUndo(change: Change, update: CredentialUpdate, seal: CustomerSeal): Promise<void> {
    const rows = await change.read(
      stepRows,
      sql`WHERE ${steps.updateId} = ${update.id} AND ${steps.phase} = 'APPLY' ORDER BY ${steps.ordinal} DESC`,
      { lock: true },
    );
    await this.drop(change, update.id, sql`${steps.phase} = 'APPLY' AND ${steps.state} = 'PLANNED'`);
    const undo = rows.flatMap((row) => {
      const text = row.state === 'DONE' ? seal.open(credentialSteps, row, 'undo') : null;
      return text === null ? [] : [{ step: JSON.parse(text) as ProviderStep, undo: null }];
    });
    const method = seal.open(credentialUpdates, update, 'newMethod');
    const [first] = rows;
    const text = first ? seal.open(credentialSteps, first, 'step') : null;
    if (method !== null && text !== null && !undo.some(({ step }) => step.action === 'DETACH')) {
      const { customer } = JSON.parse(text) as ProviderStep;
      undo.push({ step: { action: 'DETACH', customer, method }, undo: null });
    }
    await this.plan(change, seal, update, 'UNDO', undo);
  }

  /** What couldn't be taken back may be paid with the new card by now: that card stays until somebody has looked at it. */
  async keepNewCard(change: Change, updateId: string): Promise<void> {
    await this.drop(change, updateId, sql`${steps.phase} = 'UNDO' AND ${steps.state} = 'PLANNED' AND ${steps.action} = 'DETACH'`);
  }

  /** None of those that aren't made yet is made any more. */
  async dropPending(change: Change, updateId: string): Promise<void> {
    await this.drop(change, updateId, isPendingRow);
  }

  /** Some are still to be made, or to be asked about. */
  async hasMore(change: Change, updateId: string): Promise<boolean> {
    const [left] = await change.read(stepCounts, sql`WHERE ${steps.updateId} = ${updateId} AND ${isPendingRow}`);
    return (left?.n ?? 0) > 0;
  }

  record(
    change: Change,
    update: CredentialUpdate,
    seal: CustomerSeal,
    { ordinal, phase, action, state, keyGeneration, refusal }: CredentialStep,
  ): void {
    const detail = { step: ordinal, phase, action, state, key: keyGeneration, ...(refusal === null ? {} : { refusal }) };
    change.record('credential.step', { ...factsOf(update, seal), detail });
  }

  private async drop(change: Change, updateId: string, which: Sql): Promise<void> {
    await change.update(credentialSteps, { state: 'DROPPED' }, sql`${steps.updateId} = ${updateId} AND ${which}`);
  }
}
