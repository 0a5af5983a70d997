import { type RuleName, ruleNames, type Verdict } from '../risk/rule';
import type { Trial } from '../risk/trial';

/** What became of the payments that a verdict rests on, the worst of them first. */
const outcomes = ['fraud', 'refunded', 'declined', 'fine'] as const;
type Outcome = (typeof outcomes)[number] | 'none';

const outcomeOf = ({ evidence }: Verdict): Outcome => {
  const known = new Set(
    evidence.flatMap(({ type, facts }) => {
      if (!type.startsWith('payment.')) return [];
      if (facts.outcome !== undefined) return [facts.outcome];
      return [type === 'payment.attempt.declined' ? 'declined' : 'fine'];
    }),
  );
  // A payment that went through besides makes a decline no loss.
  if (known.has('fraud') || known.has('refunded')) return known.has('fraud') ? 'fraud' : 'refunded';
  return known.has('fine') ? 'fine' : known.has('declined') ? 'declined' : 'none';
};

interface Row {
  readonly byOutcome: Map<Outcome, number>;
  total: number;
  today: number;
}

/** How often each rule would have fired, by what became of the payments, beside today's file. */
export class TrialSummary {
  signals = 0;
  private readonly rows = new Map<RuleName, Row>(ruleNames.map((name) => [name, { byOutcome: new Map(), total: 0, today: 0 }]));

  constructor(
    private readonly trial: Trial,
    private readonly today: Trial | null,
  ) {}

  add(verdict: Verdict): void {
    const row = this.rows.get(verdict.rule)!;
    const outcome = outcomeOf(verdict);
    row.total += 1;
    row.byOutcome.set(outcome, (row.byOutcome.get(outcome) ?? 0) + 1);
  }

  addToday({ rule }: Verdict): void {
    this.rows.get(rule)!.today += 1;
  }

  text(): string {
    const heads = ['mode', 'fires', ...(this.today ? ['today'] : []), ...outcomes, 'no payment'];
    const line = (first: string, cells: readonly string[]) =>
      `${first.padEnd(24)}${cells.map((cell) => cell.padStart(11)).join('')}\n`;
    const body = [...this.rows].map(([name, { byOutcome, total, today }]) =>
      line(name, [
        this.trial.modeOf(name),
        String(total),
        ...(this.today ? [String(today)] : []),
        ...[...outcomes, 'none' as const].map((outcome) => String(byOutcome.get(outcome) ?? 0)),
      ]),
    );
    return [
      `${this.signals.toLocaleString('en')} signals. What would fire, by the worst that became of the payments in it:\n\n`,
      line('rule', heads),
      ...body,
      '\nRules that are OFF are evaluated here too.\n',
    ].join('');
  }
}
