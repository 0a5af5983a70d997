import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type StreamSettings, usualSettings } from './stream/acts';
import { beginning, days } from './stream/calendar';
import { generate } from './stream/generate';
import type { Labels } from './stream/labels';
import { kindsOf, misses, ratiosOf, rulesOf, textOf } from './stream/report';
import { type Score, score, type Verdict, verdictIn } from './stream/score';

const usage = `npm run bench:stream -- [options]

What the rules say to streams of signals of which is known who is an attacker: people who travel, share devices and forget what they
paid, and campaigns against them and by staff. The command "counterfoil rules test" reads each stream; what it says is held against
the labels. Seeds 1 to 5 are for tuning, 6 to 10 for what is reported.

  --seeds A-B      or A,B,C (6-10)
  --customers N    at the beginning (10000)
  --days N         that are scored (168), after --warm-up N of them (28)
  --times N        of everything that is rare (1)
  --rules FILE     in place of those that ship
  --write FOLDER   writes SEED.ndjson and SEED.labels.json there, and asks nobody
  --aims           ends with an error where an aim is missed
  --json           ends with one line of JSON
  --help`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '6-10' },
    customers: { type: 'string', default: String(usualSettings.customers) },
    days: { type: 'string', default: String(usualSettings.scoredDays) },
    'warm-up': { type: 'string', default: String(usualSettings.warmUpDays) },
    times: { type: 'string', default: String(usualSettings.times) },
    rules: { type: 'string' },
    write: { type: 'string' },
    aims: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const above = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name}: expected a number above 0, got ${text}`);
  return value;
};

const whole = (name: string, text: string): number => {
  const value = above(name, text);
  if (!Number.isSafeInteger(value)) throw new Error(`--${name}: expected a whole number, got ${text}`);
  return value;
};

const seedsIn = (text: string): number[] =>
  text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-');
    const [first, last] = [whole('seeds', from ?? ''), whole('seeds', to ?? '')];
    if (last < first) throw new Error(`--seeds: ${part} has no seed in it`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });

/** Writes a stream, a day at a time, and gives what it means. */
const write = (file: string, settings: StreamSettings): Labels => {
  const descriptor = openSync(file, 'w');
  try {
    const stream = generate(settings);
    for (;;) {
      const day = stream.next();
      if (day.done) return day.value;
      if (day.value.length > 0) writeFileSync(descriptor, `${day.value.join('\n')}\n`);
    }
  } finally {
    closeSync(descriptor);
  }
};

const program = join(__dirname, '..', 'src', 'cli', 'counterfoil.js');

/** What the product's own command says to a stream. */
const judge = async (file: string, settings: StreamSettings, folder: string): Promise<Verdict[]> => {
  const { PATH = '', HOME = '', RULES_FILE = resolve('schema/rules.yaml') } = process.env;
  const end = beginning + (settings.warmUpDays + settings.scoredDays + 1) * days;
  const period = ['--from', new Date(beginning).toISOString(), '--to', new Date(end).toISOString()];
  const rules = values.rules ? ['--rules', resolve(values.rules)] : [];
  const child = spawn(process.execPath, [program, 'rules', 'test', ...period, ...rules, '--stream', file, '--json'], {
    env: { PATH, HOME, RULES_FILE, DATA_DIR: join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolveEnd, reject) => {
    child.once('error', reject);
    child.once('close', resolveEnd);
  });
  const verdicts: Verdict[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const verdict = line.trim() === '' ? null : verdictIn(line);
    if (verdict) verdicts.push(verdict);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`"counterfoil rules test" ended with code ${code}`);
  return verdicts;
};

const main = async (): Promise<void> => {
  if (values.help) return say(usage);
  const shared = {
    customers: whole('customers', values.customers),
    warmUpDays: whole('warm-up', values['warm-up']),
    scoredDays: whole('days', values.days),
    times: above('times', values.times),
  };
  const seeds = seedsIn(values.seeds);
  if (values.write) {
    mkdirSync(values.write, { recursive: true });
    for (const seed of seeds) {
      const labels = write(join(values.write, `${seed}.ndjson`), { ...shared, seed });
      writeFileSync(join(values.write, `${seed}.labels.json`), JSON.stringify(labels));
      say(`seed ${seed}: ${labels.campaigns.length} campaigns, ${labels.lookAlikes.length} look-alikes`);
    }
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-stream-'));
  const scores = new Map<number, Score>();
  try {
    for (const seed of seeds) {
      const settings = { ...shared, seed };
      const file = join(folder, `${seed}.ndjson`);
      const labels = write(file, settings);
      scores.set(seed, score(await judge(file, settings, folder), labels));
      rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const all = [...scores.values()];
  const ratios = ratiosOf(all);
  const missed = misses(ratios);
  say(textOf(scores));
  for (const miss of missed) say(`missed: ${miss}`);
  if (values.json) {
    const bySeed = Object.fromEntries([...scores].map(([seed, each]) => [seed, ratiosOf([each])]));
    say(JSON.stringify({ ratios, seeds: bySeed, rules: rulesOf(all), campaigns: kindsOf(scores) }));
  }
  if (values.aims && missed.length > 0) process.exitCode = 1;
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
