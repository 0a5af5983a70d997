import type { LinkAssurance, Role } from '../actor';
import type { FieldClass } from './classification';

/** What a change is of: a field's verdict, or one of the settings. Whoever tells of it in another language has a sentence for each. */
export const policyChangeKinds = [
  'FIELD',
  'ASSISTANCE_AUTOMATIC',
  'ASSISTANCE_MINUTES',
  'ASSISTANCE_CUSTOMERS_PER_HOUR',
  'ASSISTANCE_APPROVAL_FOR',
  'ASSISTANCE_REQUESTED_MINUTES',
  'SCOPE',
  'BRAKES_RELEASED_BY',
  'FRAMES_SIGNED',
  'RECOGNITION_LINK_HOURS',
  'RECOGNITION_PER_DAY',
  'DECISION_PER_SUBJECT',
  'DECISION_SUBJECTS',
  'DECISION_ROUTE',
  'HOLD_AGENT_MINUTES',
  'HOLD_AGENT_DAY_MINUTES',
  'HOLD_AGENT_MOST',
  'HOLD_SUPERVISOR_MOST',
  'FILTER',
  'SORT',
  'UPDATE_KIND',
  'UPDATE_LINK_HOURS',
  'UPDATE_APPROVAL_HOURS',
  'UPDATE_PER_DAY',
  'HIGH_RISK_STRENGTH',
  'HIGH_RISK_CONTACT_DAYS',
  'HIGH_RISK_RULE',
] as const;
export type PolicyChangeKind = (typeof policyChangeKinds)[number];

/** One thing that a new policy does otherwise than the old one. */
export interface PolicyChange {
  readonly kind: PolicyChangeKind;
  /** `Type.field`, or the path of a setting such as `assistance.lifetimeMinutes`. */
  readonly coordinate: string;
  readonly role: Role | null;
  /** Null: under every assurance alike. */
  readonly assurance: LinkAssurance | null;
  /** Of a field that the graph has, under that link. */
  readonly class: FieldClass | null;
  readonly before: string;
  readonly after: string;
  /** The same as words of the file, none where there was nothing: a verdict, a number, a list, or what a rule asks as `name:value`. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly effect: 'exposes' | 'restricts' | 'changes';
  readonly sentence: string;
}

/** Of a setting of which more exposes more. */
export const effectOf = (before: number, after: number): PolicyChange['effect'] => {
  if (after === before) return 'changes';
  return after > before ? 'exposes' : 'restricts';
};

/** An array's values and, for `exposes` or `restricts`, whether it grew or only lost some. */
export const listEffect = (before: readonly string[], after: readonly string[]): PolicyChange['effect'] => {
  const gained = after.some((each) => !before.includes(each));
  const lost = before.some((each) => !after.includes(each));
  if (gained) return 'exposes';
  return lost ? 'restricts' : 'changes';
};
