/** What a stream is made of. */
export interface StreamSettings {
  readonly seed: number;
  readonly customers: number;
  /** Before anything is scored: what rules take their baselines from. */
  readonly warmUpDays: number;
  readonly scoredDays: number;
  /** Of everything that is rare, look-alikes and campaigns alike; purchases stay. */
  readonly times: number;
}

export const usualSettings: Omit<StreamSettings, 'seed'> = { customers: 10_000, warmUpDays: 28, scoredDays: 168, times: 1 };

export interface Money {
  readonly minorUnits: number;
  readonly currency: string;
}

export interface ActSubjects {
  readonly customer?: string;
  readonly card?: string;
  readonly device?: string;
  readonly ip?: string;
  readonly emailDomain?: string;
  readonly order?: string;
  readonly payment?: string;
  readonly ticket?: string;
  readonly staff?: string;
  readonly team?: string;
}

export interface ActFacts {
  readonly country?: string;
  readonly amount?: Money;
  readonly declineCode?: string;
  readonly advice?: string;
  readonly customerSince?: string;
  readonly outcome?: string;
  readonly change?: Change;
  readonly deadline?: string;
}

export type Change = 'card' | 'billing-address' | 'shipping-address' | 'contact';

/** Something that happened, before anybody was told of it. */
export interface Act {
  readonly type: string;
  /** UTC milliseconds. */
  readonly at: number;
  readonly subjects: ActSubjects;
  readonly facts?: ActFacts;
}

/** What an act belongs to, where it is more than a day's ordinary business. */
export type Label = Campaign | Aftermath | LookAlike;

/** One attacker's undertaking. */
export interface Campaign {
  readonly is: 'campaign';
  readonly id: string;
  readonly kind: string;
  readonly variant: Variant;
  /** What the attacker got, in order of time once the stream is made. */
  readonly successes: number[];
}

/**
 * `plain` takes no care; `careful` stays low where it can and still does what rules look for; `hidden` is not told from innocent people
 * by anything that a signal carries.
 */
export type Variant = 'plain' | 'careful' | 'hidden';

/** What owners do once they notice: part of the campaign, and too late to find it by. */
export interface Aftermath {
  readonly is: 'aftermath';
  readonly of: Campaign;
}

/** Innocent people who do what attackers do. */
export interface LookAlike {
  readonly is: 'look-alike';
  readonly id: string;
  readonly kind: string;
}

export interface LabelledAct extends Act {
  readonly label: Label | undefined;
}
