import type { Variant } from './acts';

/** A line of a campaign: `source/id`, when it happened and when its first line arrived, UTC milliseconds. */
export interface CampaignSignal {
  readonly name: string;
  readonly occurredAt: number;
  readonly arrivedAt: number;
  /** What owners did once they noticed. */
  readonly isAfter: boolean;
}

/** A campaign, as it is known afterwards. */
export interface LabelledCampaign {
  readonly id: string;
  readonly kind: string;
  readonly variant: Variant;
  /** UTC milliseconds, in order. */
  readonly successes: readonly number[];
  /** In the order in which they happened. */
  readonly signals: readonly CampaignSignal[];
}

/** Innocent people who look like attackers; `signals` by `source/id`. */
export interface LabelledLookAlike {
  readonly id: string;
  readonly kind: string;
  readonly signals: readonly string[];
}

/** What a stream means. Days are of 24 hours, instants UTC milliseconds. */
export interface Labels {
  readonly customers: number;
  /** What is said before it is the warm-up's. */
  readonly scoredFrom: number;
  readonly scoredDays: number;
  readonly campaigns: readonly LabelledCampaign[];
  readonly lookAlikes: readonly LabelledLookAlike[];
}
