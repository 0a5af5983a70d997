import { type RuleEffect, ruleEffects, type Verdict } from './rule';

interface Open {
  readonly at: number;
  readonly window: number;
  effects: ReadonlySet<RuleEffect>;
}

/** What became of a verdict: one that is opened is new, one that is stronger adds effects to an open one, the rest only count. */
export type Standing = 'opened' | 'stronger' | 'again';

/** The rule's verdict on its subject, as one is told from another. */
export const subjectKey = ({ rule, subject, each }: Pick<Verdict, 'rule' | 'subject' | 'each'>): string =>
  JSON.stringify([rule, subject.name, subject.value, ...(each === null ? [] : [each.name, each.value])]);

/** One verdict is open for each rule, subject (with what it names within it) and window; what fires again within the window is the same. */
export class OpenVerdicts {
  private readonly open = new Map<string, Open[]>();

  take(verdict: Verdict): Standing {
    const key = subjectKey(verdict);
    const at = verdict.at.getTime();
    const all = this.open.get(key) ?? [];
    const same = all.find((each) => Math.abs(each.at - at) <= each.window);
    if (!same) {
      // Earlier ones stay known for what comes late, as far as anything is judged by its window.
      this.open.set(key, [...all.slice(-3), { at, window: verdict.window, effects: new Set(verdict.effects) }]);
      return 'opened';
    }
    const added = verdict.effects.filter((effect) => effect !== 'alert' && !same.effects.has(effect));
    if (added.length === 0) return 'again';
    same.effects = new Set([...same.effects, ...added]);
    return 'stronger';
  }

  /** Forgets what no signal after the instant can be within. */
  forget(before: number): void {
    for (const [key, all] of this.open) {
      const left = all.filter(({ at, window }) => at + window >= before);
      if (left.length === 0) this.open.delete(key);
      else if (left.length < all.length) this.open.set(key, left);
    }
  }
}

/** As a line of a report has them, the mildest first. */
export const effectsText = (effects: readonly RuleEffect[]): string =>
  ruleEffects.filter((effect) => effects.includes(effect)).join(', ');
