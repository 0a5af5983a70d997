import type { LinkAssurance, Role } from '../actor';

/** One thing that a new policy does otherwise than the old one. */
export interface PolicyChange {
  /** `Type.field`, or the path of a setting such as `assistance.lifetimeMinutes`. */
  readonly coordinate: string;
  readonly role: Role | null;
  /** Null: under every assurance alike. */
  readonly assurance: LinkAssurance | null;
  readonly before: string;
  readonly after: string;
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
