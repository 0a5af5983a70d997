import { readFileSync } from 'node:fs';
import { rulesSchemaText, signalSchemaText } from './json-schemas';
import { ruleNames } from './rule';
import { parseRules } from './rules-file';

const shipped = readFileSync('schema/rules.yaml', 'utf8');
const problemsOf = (text: string) => {
  const parsed = parseRules(text);
  return parsed.ok ? [] : parsed.problems;
};
const lineOf = (start: string) => shipped.split('\n').findIndex((line) => line.trim().startsWith(start)) + 1;

describe('the file of risk rules', () => {
  it('is right as it is shipped: every rule in SHADOW, those about agents OFF', () => {
    const parsed = parseRules(shipped);
    expect(parsed.ok && parsed.file.settings.map(({ rule, mode }) => [rule.name, mode])).toEqual(
      ruleNames.map((name) => [name, /^agent-|^session-/.test(name) ? 'OFF' : 'SHADOW']),
    );
  });

  it.each([
    ['cards: 4', 'cards: four', 'rules.card-testing.thresholds.cards', 'expected a whole number, 2 to 100'],
    [
      'withinHours: 24, establishedDays: 90',
      'withinHours: 24',
      'rules.domain-burst.thresholds.establishedDays',
      'missing; expected a whole number, 1 to 3650',
    ],
    ['attempts: 6, times: 1.5', 'attempts: 6, times: 0', 'rules.volume-spike.thresholds.times', 'expected a number, 1 to 100'],
    ['cards: 4,', 'cards: 4, card: 3,', 'rules.card-testing.thresholds', 'unknown "card"'],
    [
      'effects: [brake]',
      'effects: [hold]',
      'rules.agent-breadth.effects.0',
      'expected a list of one or more of alert, brake, each once',
    ],
    ['mode: SHADOW', 'mode: shadow', 'rules.retries-elsewhere.mode', 'expected one of OFF, SHADOW, ON'],
    [
      '  card-testing:',
      '  card-tests:',
      'rules',
      expect.stringContaining('unknown "card-tests"; expected retries-elsewhere, card-testing'),
    ],
    ['version: 1', 'version: 2', 'version', 'expected 1'],
    ['  - gmail.com', '  - GMAIL', 'sharedMailDomains.0', 'expected a domain in lower case such as mail.example'],
  ])('is refused with %j as %j: path and line', (from, to, path, message) => {
    const problems = problemsOf(shipped.replace(from, to));
    expect(problems).toContainEqual({ path, line: expect.any(Number), message });
  });

  it('names the line', () => {
    const line = lineOf('thresholds: { cards: 4');
    expect(problemsOf(shipped.replace('cards: 4', 'cards: 0'))).toEqual([
      { path: 'rules.card-testing.thresholds.cards', line, message: 'expected a whole number, 2 to 100' },
    ]);
  });

  it.each([
    ['version: 1\nversion: 1', 'a key stands here twice; expected each key once'],
    ['a: &x 1\nb: *x', 'aliases are not accepted; write it out'],
    ['', expect.stringContaining('expected a map')],
    ['- 1', expect.stringContaining('expected a map')],
    ['{', expect.any(String)],
    ['#'.repeat(1_048_577), expect.stringContaining('longer than')],
  ])('is refused as %.20j', (text, message) => {
    expect(problemsOf(text)[0]?.message).toEqual(message);
  });

  it('and signals have JSON Schemas that are as they are built', () => {
    expect(readFileSync('schema/signal.schema.json', 'utf8')).toBe(signalSchemaText());
    expect(readFileSync('schema/rules.schema.json', 'utf8')).toBe(rulesSchemaText());
  });
});
