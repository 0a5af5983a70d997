import type { Campaign } from './acts';
import type { Attack } from './attack-cards';
import { days, hours, isWeekend, minutes, seconds } from './calendar';

/** What an agent who browses gets is worth something by the dozen: every tenth customer is a success. */
const customersPerSuccess = 10;
/** Of changes that nobody asked for, every third. */
const changesPerSuccess = 3;

const workday = (start: number): number => {
  let day = start - (start % days);
  while (isWeekend(day)) day += days;
  return day;
};

const counting = (campaign: Campaign, each: number) => {
  let count = 0;
  return (at: number): void => {
    count += 1;
    if (count % each === 0) campaign.successes.push(Math.floor(at));
  };
};

/** An agent looks up customers who asked for nothing, as fast as the list allows. */
const breadth: Attack = (scene, campaign, start) => {
  const { world, random, helpdesk } = scene;
  const day = workday(start);
  const agent = random.pick(helpdesk.onShift(day));
  const got = counting(campaign, customersPerSuccess);
  const perHour = { plain: random.integer(45, 100), careful: random.integer(26, 36), hidden: random.integer(6, 9) }[
    campaign.variant
  ];
  let at = day + random.between(8, 12) * hours;
  for (let left = random.integer(60, 140); left > 0; left -= 1) {
    const person = world.people.anybody(random);
    helpdesk.read(agent, { id: world.name('tkt'), customer: person.id }, at, campaign);
    got(at);
    at += (hours / perHour) * random.between(0.6, 1.2);
    if (at % days > 18 * hours) at = workday(at + 14 * hours) + random.between(8, 9) * hours;
  }
};

/** An agent opens tickets for what stands in them, a dozen a day, and leaves the work to others. */
const thinWork: Attack = (scene, campaign, start) => {
  const { world, random, helpdesk } = scene;
  const first = workday(start);
  const agent = random.pick(helpdesk.onShift(first));
  const got = counting(campaign, customersPerSuccess);
  const aDay = { plain: [18, 28], careful: [13, 16], hidden: [4, 6] }[campaign.variant] as [number, number];
  for (let ahead = 0; ahead < 7; ahead += 1) {
    const day = first + ahead * days;
    if (isWeekend(day)) continue;
    for (let left = random.integer(...aDay); left > 0; left -= 1) {
      const at = day + random.between(7.5, 17) * hours;
      helpdesk.read(agent, { id: world.name('tkt'), customer: world.people.anybody(random).id }, at, campaign);
      got(at);
    }
  }
};

/** An agent who was bribed asks for changes, or holds and releases, where nobody asked. */
const interventions: Attack = (scene, campaign, start) => {
  const { world, random, helpdesk } = scene;
  const first = workday(start);
  const agent = random.pick(helpdesk.onShift(first));
  const got = counting(campaign, changesPerSuccess);
  const aDay = { plain: [14, 24], careful: [11, 14], hidden: [2, 3] }[campaign.variant] as [number, number];
  for (let ahead = 0; ahead < (campaign.variant === 'hidden' ? 9 : 3); ahead += 1) {
    const day = first + ahead * days;
    if (isWeekend(day)) continue;
    for (let left = random.integer(...aDay); left > 0; left -= 1) {
      const ticket = { id: world.name('tkt'), customer: world.people.anybody(random).id };
      const at = day + random.between(7.5, 17) * hours;
      helpdesk.read(agent, ticket, at, campaign);
      helpdesk.work(agent, ticket, random.chance(0.8) ? 'update' : 'hold', at + 2 * minutes, campaign);
      if (random.chance(0.5)) helpdesk.work(agent, ticket, 'note', at + 3 * minutes, campaign);
      got(at + 2 * minutes);
    }
  }
};

/** A session that was stolen is used beside its owner. */
const movedSession: Attack = (scene, campaign, start) => {
  const { world, random, helpdesk } = scene;
  const day = workday(start);
  const agent = random.pick(helpdesk.onShift(day));
  const got = counting(campaign, customersPerSuccess);
  // Some copy the device claim as well: only the network differs. The hidden wait until the owner has gone home.
  const { variant } = campaign;
  const device = variant === 'plain' ? world.people.device() : agent.device;
  const ip = `45.${random.integer(1, 250)}.${random.integer(1, 250)}.9`;
  let at = day + (variant === 'hidden' ? 20 : random.between(8, 12)) * hours;
  for (let left = random.integer(55, 90); left > 0; left -= 1) {
    const person = world.people.anybody(random);
    helpdesk.read(agent, { id: world.name('tkt'), customer: person.id }, at, campaign, device, ip);
    got(at);
    // The owner's own work, in between.
    if (variant !== 'hidden' && left % 3 === 0) {
      const own = { id: world.name('tkt'), customer: world.people.anybody(random).id };
      helpdesk.read(agent, own, at + 40 * seconds);
      helpdesk.work(agent, own, 'reply', at + 70 * seconds);
    }
    at += random.between(1.2, 3) * minutes;
  }
};

export const staffAttacks: readonly (readonly [kind: string, weight: number, attack: Attack])[] = [
  ['agent looks at many', 0.8, breadth],
  ['agent reads without work', 0.7, thinWork],
  ['agent changes much', 0.7, interventions],
  ['moved session', 0.8, movedSession],
];
