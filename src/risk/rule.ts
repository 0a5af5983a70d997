import type { z } from 'zod';
import type { DaySummary, Window } from './history';
import type { Signal, SignalType, SubjectName, Subjects } from './signal';

/** The rules, named as in files and events. */
export const ruleNames = [
  'retries-elsewhere',
  'card-testing',
  'decline-loop',
  'domain-burst',
  'volume-spike',
  'change-against-history',
  'recovery-then-payment',
  'claim-against-record',
  'provider-deadline',
  'card-expiring',
  'agent-breadth',
  'agent-thin-work',
  'agent-interventions',
  'session-moved',
] as const;
export type RuleName = (typeof ruleNames)[number];

/** `OFF`: not evaluated. `SHADOW`: verdicts are recorded and nothing else happens. `ON`: the effects follow. */
export const ruleModes = ['OFF', 'SHADOW', 'ON'] as const;
export type RuleMode = (typeof ruleModes)[number];

/** What follows of a verdict, the mildest first. */
export const ruleEffects = [
  'alert',
  'invite-replace-card',
  'outreach-ticket',
  'challenge',
  'high-risk-update',
  'hold-orders',
  'propose-hold',
  'propose-group-hold',
  'brake',
  'end-session',
] as const;
export type RuleEffect = (typeof ruleEffects)[number];

/** What a rule asks of the past. */
export interface Ask {
  readonly signals: readonly Window[];
  readonly days: readonly Window[];
}

/** What was asked for, in the same order. */
export interface Answer {
  readonly signals: readonly (readonly Signal[])[];
  readonly days: readonly (readonly DaySummary[])[];
}

/** What a rule found. */
export interface Finding {
  /** Whose window it is: a rule has one open alert for each subject and window. */
  readonly subject: SubjectName;
  /** What else it names, where that is found anew of each within the same window: what was said of one says nothing of another. */
  readonly each?: SubjectName;
  /** How long the window is. */
  readonly window: number;
  /** What was counted, by what it is called. */
  readonly counts: Readonly<Record<string, number>>;
  /** The signals that it rests on. */
  readonly evidence: readonly Signal[];
  /** Effects of the rule that this finding is too weak for. */
  readonly withheld?: readonly RuleEffect[];
  /** One sentence without a value of anybody's. */
  readonly sentence: string;
}

/** A rule at work on one signal: it names the windows that it needs, is given them, and says what it found. It waits for nothing. */
export type Judgement = Generator<Ask, Finding | null, Answer>;

/** What rules may look back at: bounds what a stream has to be remembered for. */
export interface Need {
  readonly of: 'signals' | 'days';
  readonly subject: SubjectName;
  readonly types: readonly SignalType[];
  /** How far back from the signal that is judged, in milliseconds. */
  readonly back: number;
}

/** What the file says beside thresholds. */
export interface Surroundings {
  /** A mail provider whose domain says nothing of who uses it. */
  readonly isSharedMailDomain: (domain: string) => boolean;
}

export interface Rule<Schema extends z.ZodType = z.ZodType> {
  readonly name: RuleName;
  /** Counts up whenever the same signals and thresholds may give another verdict. */
  readonly version: number;
  readonly isAboutAgents: boolean;
  /** The types of signals that can complete what the rule looks for. */
  readonly triggers: readonly SignalType[];
  /** Effects that the file may give it. */
  readonly effects: readonly RuleEffect[];
  readonly thresholds: Schema;
  /** When it fires, in a sentence. */
  explain(thresholds: z.output<Schema>): string;
  needs(thresholds: z.output<Schema>): readonly Need[];
  judge(signal: Signal, thresholds: z.output<Schema>, surroundings: Surroundings): Judgement;
}

/** Keeps the type of the thresholds within the rule, and forgets it outside. */
export const defineRule = <Schema extends z.ZodType>(rule: Rule<Schema>): Rule => rule as unknown as Rule;

/** What a rule says of a signal, with all that it rests on. */
export interface Verdict {
  readonly rule: RuleName;
  readonly version: number;
  /** When what made the rule fire occurred. */
  readonly at: Date;
  /** Whose window it is. */
  readonly subject: { readonly name: SubjectName; readonly value: string };
  /** What tells it from another on the same subject; null where there is one alone. */
  readonly each: { readonly name: SubjectName; readonly value: string } | null;
  /** Everybody whom the signal is about that made the rule fire. */
  readonly subjects: Subjects;
  /** Milliseconds. */
  readonly window: number;
  readonly counts: Readonly<Record<string, number>>;
  /** What it rests on, the newest if there is very much. */
  readonly evidence: readonly Signal[];
  /** Of a signal that came too late, an alert at most. */
  readonly effects: readonly RuleEffect[];
  readonly isLate: boolean;
  readonly sentence: string;
}
