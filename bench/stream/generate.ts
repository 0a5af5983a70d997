import type { Campaign, LabelledAct, LookAlike, StreamSettings } from './acts';
import { beginning, days, hours, minutes, seconds } from './calendar';
import { attackInWeek } from './campaigns';
import { Daily } from './daily';
import { foundOr } from './found';
import { Helpdesk } from './helpdesk';
import type { CampaignSignal, Labels } from './labels';
import { lookAlike } from './look-alikes';
import type { Random } from './random';
import { World } from './world';

const sources: Readonly<Record<string, string>> = {
  payment: 'payments',
  card: 'payments',
  ticket: 'helpdesk',
  account: 'identity',
  credential: 'shop',
  staff: 'gateway',
};
const sourceOf = (type: string): string => sources[type.slice(0, type.indexOf('.'))] ?? 'shop';

/** A line on its way. */
interface Delivery {
  readonly at: number;
  readonly line: string;
}

/** How long a source's word is on its way: mostly seconds; some minutes, a few hours. */
const delayOf = (random: Random): number =>
  random.weighted([
    [() => random.between(0, 3) * seconds, 95.5],
    [() => random.between(3, 120) * seconds, 3.5],
    [() => random.between(2, 50) * minutes, 0.7],
    [() => random.between(1, 20) * hours, 0.3],
  ] as const)();

/** A source that is cut off for hours, and then tells everything at once: about every forty days. */
const outages = (random: Random, until: number): { source: string; from: number; until: number }[] => {
  const found = [];
  for (const source of new Set(Object.values(sources)))
    for (let at = beginning + random.exponential(40) * days; at < until; at += random.exponential(40) * days)
      found.push({ source, from: at, until: at + random.between(0.5, 6) * hours });
  return found;
};

/**
 * The stream of a seed: lines of NDJSON in the order in which they arrive, a day at a time; the same seed gives the same bytes. Late,
 * out of order and twice are among them. The generator returns what the lines mean.
 */
export function* generate(settings: StreamSettings): Generator<string[], Labels> {
  const world = new World(settings);
  const scene = (name: string) => ({ world, helpdesk, random: world.random.fork(name) });
  const helpdesk = new Helpdesk(world);
  const ordinary = new Daily(scene('daily'));
  const strange = scene('look-alikes');
  const attackers = scene('campaigns');
  const delivering = world.random.fork('delivery');
  const cuts = outages(delivering, world.end);
  const ofCampaigns = new Map<Campaign, CampaignSignal[]>();
  const ofLookAlikes = new Map<LookAlike, string[]>();
  let waiting: Delivery[] = [];
  let count = 0;

  const deliver = (act: LabelledAct): void => {
    const { type, at, subjects, facts, label } = act;
    const source = sourceOf(type);
    count += 1;
    const id = `evt-${String(count).padStart(7, '0')}`;
    const occurredAt = new Date(at).toISOString();
    const line = JSON.stringify({ source, id, type, occurredAt, subjects, ...(facts && { facts }) });
    let arrivedAt = at + delayOf(delivering);
    const cut = cuts.find((each) => each.source === source && each.from <= arrivedAt && arrivedAt < each.until);
    if (cut) arrivedAt = cut.until + delivering.between(0, 5) * minutes;
    arrivedAt = Math.floor(arrivedAt);
    waiting.push({ at: arrivedAt, line });
    // A sender that got no answer sends again; what it says is the same, its order of words may not be.
    if (delivering.chance(0.012))
      waiting.push({
        at: arrivedAt + Math.floor(delivering.exponential(20) * minutes),
        line: delivering.chance(0.5) ? line : JSON.stringify({ id, source, occurredAt, type, ...(facts && { facts }), subjects }),
      });
    const name = `${source}/${id}`;
    if (label?.is === 'look-alike') foundOr(ofLookAlikes, label, () => []).push(name);
    else if (label) {
      const campaign = label.is === 'campaign' ? label : label.of;
      foundOr(ofCampaigns, campaign, () => []).push({ name, occurredAt: at, arrivedAt, isAfter: label.is === 'aftermath' });
    }
  };

  const total = settings.warmUpDays + settings.scoredDays;
  for (let number = 0; number <= total; number += 1) {
    const day = beginning + number * days;
    if (number < total) {
      ordinary.live(day);
      lookAlike(strange, day);
      if (day >= world.scoredFrom && (number - settings.warmUpDays) % 7 === 0) attackInWeek(attackers, day);
      for (const act of world.takeDay(number)) deliver(act);
    }
    const until = number < total ? day + days : Number.POSITIVE_INFINITY;
    const [now, later] = [waiting.filter(({ at }) => at < until), waiting.filter(({ at }) => at >= until)];
    waiting = later;
    yield now.sort((a, b) => a.at - b.at).map(({ line }) => line);
  }

  return {
    customers: settings.customers,
    scoredFrom: world.scoredFrom,
    scoredDays: settings.scoredDays,
    campaigns: [...ofCampaigns].map(([{ id, kind, variant, successes }, signals]) => ({
      ...{ id, kind, variant, signals },
      successes: successes.filter((at) => at < world.end).sort((a, b) => a - b),
    })),
    lookAlikes: [...ofLookAlikes].map(([{ id, kind }, signals]) => ({ id, kind, signals })),
  };
}
