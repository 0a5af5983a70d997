import type { History } from '../../risk/history';
import type { Verdict } from '../../risk/rule';
import type { Brakes } from '../brakes/brakes.service';

/** What somebody did for customers: it speaks for them whenever they did it. */
const answers: ReadonlySet<string> = new Set(['staff.reply', 'staff.note']);

/** The same past, in which this member of staff did nothing until then but answer. */
const since = (past: History, staff: string, released: Date): History => ({
  days: past.days,
  signals: async (windows) => {
    const lists = await past.signals(windows);
    return lists.map((signals, index) => {
      const window = windows[index];
      if (window?.subject !== 'staff' || window.value !== staff) return signals;
      return signals.filter(({ type, occurredAt }) => answers.has(type) || occurredAt > released);
    });
  },
});

interface Judged {
  readonly past: History;
  readonly judge: (history: History) => Promise<readonly Verdict[]>;
  readonly brakes: Pick<Brakes, 'lastRelease'>;
}

/**
 * A verdict that would put a brake on somebody whom two people released from one of the same rule, over what came since: what they looked
 * at before is settled, what comes after is judged as anybody's. Null where that is too little.
 */
export const afterRelease = async (verdict: Verdict, { past, judge, brakes }: Judged): Promise<Verdict | null> => {
  const { rule, at, window, effects } = verdict;
  const { staff } = verdict.subjects;
  if (staff === undefined || !effects.includes('brake')) return verdict;
  const released = await brakes.lastRelease(staff, { rule, since: new Date(at.getTime() - window) });
  if (released === null) return verdict;
  if (at <= released) return null;
  const again = await judge(since(past, staff, released));
  return again.find((each) => each.rule === rule) ?? null;
};
