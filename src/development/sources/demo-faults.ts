import { ProgrammingError } from '../../failure';
import type { ProviderRefusal } from '../../upstream/payments/payments.port';

/** What a fault befalls: the calls that change a method, or the opening of a card page. */
export const faultTargets = ['steps', 'setups'] as const;
export type FaultTarget = (typeof faultTargets)[number];

/**
 * Something that goes wrong at the provider, for the next `times` calls. `lose`: the answer doesn't arrive. `spoil`: the
 * answer is a fault that the provider repeats for the same idempotency key. `executed`: what was asked for was done even so.
 */
export type DemoFault =
  | { readonly kind: 'refuse'; readonly of: FaultTarget; readonly times: number; readonly why: ProviderRefusal }
  | { readonly kind: 'lose'; readonly of: FaultTarget; readonly times: number; readonly executed: boolean }
  | { readonly kind: 'spoil'; readonly of: 'steps'; readonly times: number; readonly executed: boolean };

/** The faults that are switched on, the first to be met first. They are of this process: a restart ends them. */
export class DemoFaults {
  private waiting: DemoFault[] = [];

  get switchedOn(): readonly DemoFault[] {
    return this.waiting;
  }

  add(fault: DemoFault): void {
    if (!Number.isInteger(fault.times) || fault.times < 1) throw new ProgrammingError('a fault happens at least once');
    this.waiting.push(fault);
  }

  clear(): void {
    this.waiting = [];
  }

  /** The fault that the next call meets, if it is of one of these kinds; it happens once less then. */
  meet<Kind extends DemoFault['kind']>(
    of: FaultTarget,
    kinds: readonly Kind[],
  ): Extract<DemoFault, { readonly kind: Kind }> | null {
    const position = this.waiting.findIndex((fault) => fault.of === of);
    const fault = this.waiting[position];
    if (fault === undefined || !kinds.some((kind) => kind === fault.kind)) return null;
    const left = { ...fault, times: fault.times - 1 };
    this.waiting.splice(position, 1, ...(left.times > 0 ? [left] : []));
    return fault as Extract<DemoFault, { readonly kind: Kind }>;
  }
}
