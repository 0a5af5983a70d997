import type { DecisionPolicy } from '../../authz/policy/file';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { Keys } from '../keys/keys.service';
import type { AskedDecision } from './asked';
import { decisionBudgets } from './decision.entity';
import { decisionActions } from './decisions.policy';
import { budget, budgetRows } from './decisions.rows';

const hour = 3_600_000;
const minute = 60_000;

interface Used {
  readonly stored: number | null;
  readonly endsAt: Date;
  used: number;
}

/**
 * What services may still ask: so often about one subject an hour, and about so many within a minute that they didn't ask about in that
 * hour. Whoever has the token of a service can't find out by it who is held. Read and written in the change that answers, which writes to
 * each service's row before: two of the same service don't count at once.
 */
export class Budget {
  private constructor(
    private readonly keys: Keys,
    private readonly policy: DecisionPolicy,
    private readonly at: Date,
    private readonly counts: Map<string, Used>,
  ) {}

  static async of(change: Change, keys: Keys, policy: DecisionPolicy, asked: readonly AskedDecision[]): Promise<Budget> {
    const made = new Budget(keys, policy, change.at, new Map());
    for (const each of asked)
      for (const { id, endsAt } of made.places(each)) made.counts.set(id, { stored: null, endsAt, used: 0 });
    for (const { id, used } of await change.read(budgetRows, sql`WHERE ${budget.id} IN (${[...made.counts.keys()]})`)) {
      const { endsAt } = made.counts.get(id) as Used;
      made.counts.set(id, { stored: used, endsAt, used });
    }
    return made;
  }

  /** Counts a question, and says why it is refused; null where it isn't. What is refused isn't counted. */
  refusal(asked: AskedDecision): Failure | null {
    const { perSubjectPerHour, subjectsPerMinute } = this.policy.quota;
    const [ofMinute, ...ofSubjects] = this.places(asked).map(({ id }) => this.counts.get(id) as Used);
    if (ofMinute === undefined) return null;
    const fresh = ofSubjects.filter(({ used }) => used === 0).length;
    if (ofSubjects.some(({ used }) => used >= perSubjectPerHour) || ofMinute.used + fresh > subjectsPerMinute)
      return Failure.denied('QUOTA', decisionActions.make.name);
    ofMinute.used += fresh;
    for (const each of ofSubjects) each.used += 1;
    return null;
  }

  /** Stores what was counted. */
  async write(change: Change): Promise<void> {
    const all = [...this.counts];
    await change.tally(
      decisionBudgets,
      all.filter(([, { stored, used }]) => stored === null && used > 0).map(([id, { used, endsAt }]) => ({ id, used, endsAt })),
    );
    const grown = new Map<number, string[]>();
    for (const [id, { stored, used }] of all)
      if (stored !== null && used > stored) grown.set(used - stored, [...(grown.get(used - stored) ?? []), id]);
    for (const [by, ids] of grown)
      await change.bookkeep(decisionBudgets, { used: sql`${budget.used} + ${by}` }, sql`${budget.id} IN (${ids})`);
  }

  /** Of the minute first, then of each subject. */
  private places({ actor, subjects }: AskedDecision): readonly { readonly id: string; readonly endsAt: Date }[] {
    const within = (span: number, name: string) => {
      const index = Math.floor(this.at.getTime() / span);
      const id = this.keys.searchDigest('decision-budget', `${actor.id} ${index} ${name}`) as string;
      return { id, endsAt: new Date((index + 1) * span) };
    };
    return [within(minute, 'minute'), ...subjects.map((subject) => within(hour, `subject ${subject}`))];
  }
}
