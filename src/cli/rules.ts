import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadLocalConfig } from '../config/local';
import { loadRules } from '../config/rules';
import { rulesSchemaText, signalSchemaText } from '../risk/json-schemas';
import { effectsText } from '../risk/open-verdicts';
import { type RuleName, ruleNames, type Verdict } from '../risk/rule';
import type { RulesFile } from '../risk/rules-file';
import { signalName } from '../risk/signal';
import { Trial } from '../risk/trial';
import { timeOf } from './arguments';
import { CommandFailed } from './report';
import { type SignalLine, signalLines } from './signal-lines';
import type { StoredSignals } from './stored-signals';
import { withoutStrays } from './stray-lines';
import { TrialSummary } from './trial-summary';

export interface RulesTestFlags {
  /** A file of lines, `-` for stdin; what the gateway has stored where it isn't given. */
  readonly stream?: string;
  readonly from?: string;
  readonly to?: string;
  readonly rules?: string;
  readonly json?: boolean;
}

/** Waits where whoever reads is slower. */
const write = async (text: string): Promise<void> => {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
};

const rulesOf = (argument: string | undefined): RulesFile =>
  loadRules(argument === undefined ? loadLocalConfig().rulesFile : resolve(argument));

/** Lines with a mistake that are named one by one. */
const mostNamed = 20;

const verdictLine = (verdict: Verdict, trial: Trial): string => {
  const { rule, at, subjects, evidence, effects, version, counts, isLate, sentence } = verdict;
  return `${JSON.stringify({
    rule,
    at: at.toISOString(),
    subjects,
    signals: evidence.map(signalName),
    effect: effectsText(effects),
    subject: verdict.subject.name,
    mode: trial.modeOf(rule),
    version,
    counts,
    late: isLate,
    sentence,
  })}\n`;
};

type Lines = AsyncIterable<readonly SignalLine[]>;

async function* linesOf(stored: StoredSignals): Lines & AsyncGenerator<readonly SignalLine[]> {
  let number = 0;
  for await (const signals of stored.all())
    yield signals.map((signal) => {
      number += 1;
      return { number, signal };
    });
}

/** Evaluates the rules over the lines, and says what they find. Returns how many lines are no signals. */
const evaluate = async (lines: Lines, trialOf: (file: RulesFile) => Trial, flags: RulesTestFlags): Promise<number> => {
  const { rules, json = false } = flags;
  const from = flags.from === undefined ? Number.NEGATIVE_INFINITY : timeOf(flags.from).getTime();
  const to = flags.to === undefined ? Number.POSITIVE_INFINITY : timeOf(flags.to).getTime();
  const isAsked = ({ at }: Verdict) => at.getTime() >= from && at.getTime() < to;
  const trial = trialOf(rulesOf(rules));
  // What is in force today, beside what is tried.
  const isCompared = rules !== undefined && !json && existsSync(loadLocalConfig().rulesFile);
  const today = isCompared ? trialOf(rulesOf(undefined)) : null;
  const summary = new TrialSummary(trial, today);
  let wrong = 0;
  for await (const some of lines) {
    let out = '';
    for (const line of some) {
      if ('expected' in line) {
        wrong += 1;
        if (wrong <= mostNamed) process.stderr.write(`Line ${line.number}: ${line.expected}.\n`);
        continue;
      }
      const { signal } = line;
      for (const verdict of trial.take(signal).filter(isAsked)) {
        if (json) out += verdictLine(verdict, trial);
        else summary.add(verdict);
      }
      for (const verdict of today?.take(signal).filter(isAsked) ?? []) summary.addToday(verdict);
      summary.signals += 1;
    }
    await write(out);
  }
  if (!json) await write(summary.text());
  return wrong;
};

/** Over what the gateway has stored. What is loaded for that, a stream of lines has no use for. */
const testStored = async (flags: RulesTestFlags): Promise<void> => {
  const { StoredSignals } = require('./stored-signals') as typeof import('./stored-signals');
  const stored = await StoredSignals.open();
  try {
    await evaluate(linesOf(stored), (file) => new Trial(stored.seenBy(file)), flags);
  } finally {
    await stored.close();
  }
};

/** `counterfoil rules test`. */
export const test = async (flags: RulesTestFlags): Promise<void> => {
  if (flags.stream === undefined) return testStored(flags);
  const wrong = await evaluate(withoutStrays(signalLines(flags.stream)), (file) => new Trial(file), flags);
  if (wrong === 0) return;
  throw new CommandFailed(
    `${wrong} ${wrong === 1 ? 'line is' : 'lines are'} no signal${wrong > mostNamed ? `, of which the first ${mostNamed} are named` : ''}; the others were evaluated. "counterfoil rules schema signals" says what is accepted.`,
  );
};

const upperFirst = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`;
const modes = {
  OFF: 'it is OFF',
  SHADOW: 'it is in SHADOW: nothing follows',
  ON: 'it is ON',
} as const;

/** `counterfoil rules explain`. */
export const explain = (name: string | undefined, flags: { readonly rules?: string; readonly json?: boolean }): void => {
  if (name !== undefined && !ruleNames.includes(name as RuleName))
    throw new CommandFailed(`There is no such rule. Expected one of ${ruleNames.join(', ')}.`);
  const { settings } = rulesOf(flags.rules);
  const asked = settings.filter(({ rule }) => name === undefined || rule.name === name);
  const told = asked.map(({ rule, mode, effects, thresholds }) => ({
    rule: rule.name,
    version: rule.version,
    mode,
    effects,
    thresholds,
    when: rule.explain(thresholds),
  }));
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(told)}\n`);
    return;
  }
  process.stdout.write(
    told
      .map(
        ({ rule, version, mode, effects, when }) =>
          `${rule} (version ${version})\n  Fires when ${when}.\n  Effect: ${effectsText(effects)}. ${upperFirst(modes[mode])}.\n`,
      )
      .join('\n'),
  );
};

/** `counterfoil rules schema`. */
export const schema = (of: string): void => {
  if (of === 'signals') process.stdout.write(signalSchemaText());
  else if (of === 'rules') process.stdout.write(rulesSchemaText());
  else throw new CommandFailed('Expected signals or rules.');
};
