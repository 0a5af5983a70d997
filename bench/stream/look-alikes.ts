import type { LookAlike } from './acts';
import {
  dayOfMonth,
  days,
  hours,
  isLastWorkday,
  isSale,
  isWeekend,
  minutes,
  seconds,
  whenAtWork,
  whenShopping,
} from './calendar';
import type { Agent } from './helpdesk';
import { mailProviders } from './people';
import { attempt, buy, type Decline, money, placeOf, type Scene } from './shopping';

type Episode = (scene: Scene, day: number, label: LookAlike) => void;

const shortOfMoney: Decline = { code: 'insufficient_funds', advice: 'try_again_later' };
const refused: Decline = { code: 'do_not_honor', advice: 'try_again_later' };
const wrongCode: Decline = { code: 'incorrect_cvc', advice: 'confirm_card_data' };

const evening = (scene: Scene, day: number): number => day + scene.random.between(16, 20) * hours;

/** A family round one tablet: everybody buys with a card of their own. */
const family: Episode = (scene, day, label) => {
  const { world, random } = scene;
  const members = random.pick(world.people.households);
  const tablet = members[0]?.devices.at(-1) as string;
  let at = evening(scene, day);
  const cards = members.flatMap((person) => person.cards.map((card) => ({ person, card })));
  for (const { person, card } of random.shuffled(cards).slice(0, random.integer(3, 6))) {
    const place = { ...placeOf(scene, person, at), device: tablet };
    buy(scene, { person, at, place, card, label });
    at += random.between(2, 14) * minutes;
  }
};

/** A library, a hostel, a shop's own terminal: strangers at one machine. */
const publicMachine: Episode = (scene, day, label) => {
  const { world, random } = scene;
  const device = random.pick(world.people.publicDevices);
  let at = whenAtWork(random, day);
  for (
    let left = random.weighted([
      [2, 60],
      [3, 25],
      [4, 10],
      [6, 5],
    ] as const);
    left > 0;
    left -= 1
  ) {
    const person = world.people.anybody(random);
    buy(scene, { person, at, place: { device, country: person.home, ip: '198.51.100.77' }, label });
    at += random.between(6, 30) * minutes;
  }
};

/** A finance department pays its bills at the month's end, each department's with its own card. */
const monthEnd = (scene: Scene, day: number): void => {
  const { world, random } = scene;
  if (!isLastWorkday(day)) return;
  for (const person of world.people.finance) {
    const label = world.lookAlike('finance department');
    let at = whenAtWork(random, day);
    for (const card of random.sample(person.cards, random.integer(6, person.cards.length))) {
      buy(scene, { person, at, card, place: { ...placeOf(scene, person, at), device: person.devices[0] as string }, label });
      at += random.between(3, 12) * minutes;
    }
  }
};

/** Abroad, declined, writes to support, and tries again by a phone whose network comes out at home. */
const stuckTraveller: Episode = (scene, day, label) => {
  const { world, random, helpdesk } = scene;
  const person = random.pick(world.people.all.filter((each) => each.role === 'private' && world.people.tripOn(each, day)));
  const trip = world.people.tripOn(person, day);
  if (!trip) return;
  const amount = money(random.logNormal(person.typical, 0.7), person.currency);
  const order = world.name('ord');
  const card = person.cards[0] as string;
  const away = { device: person.devices[0] as string, country: trip.country, ip: `100.99.3.${random.integer(1, 40)}` };
  const home = { device: person.devices.at(-1) as string, country: person.home, ip: person.ip };
  let at = whenShopping(random, day, trip.country);
  attempt(scene, { person, at, card, place: away, amount, order }, refused, label);
  helpdesk.open(person, at + random.between(2, 12) * minutes, label);
  at += random.between(14, 30) * minutes;
  attempt(scene, { person, at, card, place: away, amount, order }, refused, label);
  at += random.between(2, 20) * minutes;
  attempt(scene, { person, at, card, place: home, amount, order }, random.chance(0.6) ? undefined : refused, label);
};

/** With a ticket open, somebody tries the phone, the tablet and the machine at work. */
const everyDevice: Episode = (scene, day, label) => {
  const { world, random, helpdesk } = scene;
  const person = world.people.regular(random);
  let at = whenShopping(random, day, person.home);
  const amount = money(random.logNormal(person.typical, 0.6), person.currency);
  const order = world.name('ord');
  const devices = [...person.devices, world.people.device(), world.people.device()].slice(0, 3);
  const card = person.cards[0] as string;
  attempt(
    scene,
    { person, at, card, place: { ...placeOf(scene, person, at), device: devices[0] as string }, amount, order },
    shortOfMoney,
    label,
  );
  helpdesk.open(person, at + random.between(3, 15) * minutes, label);
  at += 16 * minutes;
  for (const device of devices) {
    const place = { device, country: person.home, ip: person.ip };
    attempt(scene, { person, at, card, place, amount, order }, random.chance(0.7) ? shortOfMoney : undefined, label);
    at += random.between(3, 14) * minutes;
  }
};

/** A firm begins to buy: everybody in it becomes a customer within a day. */
const newFirm: Episode = (scene, day, label) => {
  const { world, random } = scene;
  if (isWeekend(day)) return;
  const domain = `firm-${world.number('company')}.example`;
  const [ip, home] = [world.people.network(), random.pick(['DE', 'AT', 'CH', 'NL', 'FR'])];
  const size = random.integer(5, 14);
  for (let left = size; left > 0; left -= 1) {
    const at = Math.floor(whenAtWork(random, day));
    const person = world.people.join(at, { domain, ip, home, role: 'employee' });
    buy(scene, {
      person,
      at: at + random.between(2, 25) * minutes,
      place: { device: person.devices[0] as string, country: home, ip },
      label,
    });
  }
};

/** A term begins: students of one university become customers. */
const students = (scene: Scene, day: number): void => {
  const { world, random } = scene;
  if (dayOfMonth(day) !== 1) return;
  const domain = random.pick(world.people.universities);
  const label = world.lookAlike('students of one university');
  for (let left = random.integer(8, 30); left > 0; left -= 1) {
    const at = Math.floor(whenShopping(random, day, 'DE'));
    const person = world.people.join(at, { domain });
    buy(scene, { person, at: at + random.between(1, 25) * minutes, risk: 0.1, label });
  }
};

/** A newsletter, a festival, a video: many new customers in one day, of all providers, some of one small one. */
const crowd: Episode = (scene, day, label) => {
  const { world, random } = scene;
  const region = random.pick(world.people.regionalProviders);
  for (let left = Math.round((80 * world.settings.customers) / 10_000); left > 0; left -= 1) {
    const at = Math.floor(whenShopping(random, day, 'DE'));
    const person = world.people.join(at, { domain: random.chance(0.12) ? region : random.weighted(mailProviders) });
    buy(scene, { person, at: at + random.between(1, 25) * minutes, risk: 0.1, label });
  }
};

/** On a day of sales some take every offer, one by one. */
const hunters = (scene: Scene, day: number): void => {
  const { world, random } = scene;
  if (!isSale(day)) return;
  for (let left = random.poisson(world.rate(6)); left > 0; left -= 1) {
    const person = world.people.regular(random);
    const label = world.lookAlike('bargain hunter');
    for (let offers = random.integer(5, 11); offers > 0; offers -= 1)
      buy(scene, { person, at: whenShopping(random, day, person.home), risk: 0.06, label });
  }
};

/** A merchant's own system that tries a card every few hours. */
const eagerRenewal: Episode = (scene, day, label) => {
  const { world, random } = scene;
  const person = world.people.regular(random);
  const amount = money(999, person.currency);
  const order = world.name('ord');
  let at = day + random.between(1, 3) * hours;
  for (let left = random.integer(6, 11); left > 0; left -= 1) {
    attempt(scene, { person, at, card: person.cards[0], place: {}, amount, order }, shortOfMoney, label);
    at += random.between(2, 3) * hours;
  }
};

/** Somebody types the wrong code, again and again. */
const fumbler: Episode = (scene, day, label) => {
  const { world, random } = scene;
  const person = world.people.regular(random);
  const amount = money(random.logNormal(person.typical, 0.5), person.currency);
  const order = world.name('ord');
  let at = whenShopping(random, day, person.home);
  const place = placeOf(scene, person, at);
  for (let left = random.integer(5, 10); left > 0; left -= 1) {
    attempt(scene, { person, at, card: person.cards[0], place, amount, order }, wrongCode, label);
    at += random.between(20 * seconds, 4 * minutes);
  }
  if (random.chance(0.5)) attempt(scene, { person, at, card: person.cards[0], place, amount, order }, undefined, label);
};

/** Wedding, move, new baby: somebody who buys once a month buys all day. */
const bigDay: Episode = (scene, day, label) => {
  const { world, random } = scene;
  const person = world.people.regular(random);
  let at = whenShopping(random, day, person.home);
  for (let left = random.integer(4, 8); left > 0; left -= 1) {
    buy(scene, { person, at, label });
    at += random.between(5, 50) * minutes;
  }
};

/** Somebody new reads along what a colleague does. */
const trainee: Episode = (scene, day, label) => {
  const { random, helpdesk } = scene;
  const agent = helpdesk.hire();
  for (let ahead = 0; ahead < 5; ahead += 1) {
    const today = day + ahead * days;
    for (let left = random.integer(6, 14) - ahead; left > 0; left -= 1) {
      const tickets = helpdesk.recentBefore(today);
      if (tickets.length === 0) return;
      const [ticket, at] = [random.pick(tickets), whenAtWork(random, today)];
      helpdesk.read(agent, ticket, at, label);
      if (random.chance(0.1 + ahead * 0.15))
        helpdesk.work(agent, ticket, random.pick(['note', 'reply']), at + 6 * minutes, label);
    }
  }
};

/** A team's quality review: closed tickets, one after the other, read and not answered. */
const review: Episode = (scene, day, label) => {
  const { random, helpdesk } = scene;
  if (isWeekend(day)) return;
  const agent = random.pick(helpdesk.onShift(day));
  let at = day + random.between(11, 13) * hours;
  for (const ticket of random.sample(helpdesk.recentBefore(day), random.integer(8, 20))) {
    helpdesk.read(agent, ticket, at, label);
    if (random.chance(0.1)) helpdesk.work(agent, ticket, 'note', at + 3 * minutes, label);
    at += random.between(3, 11) * minutes;
  }
};

/** The shop is down: a hundred people write within hours, and one answer fits all of them. */
const incident: Episode = (scene, day, label) => {
  const { world, random, helpdesk } = scene;
  const began = whenAtWork(random, day) - 2 * hours;
  const agents = random.sample(helpdesk.onShift(day), 5);
  const next = new Map<Agent, number>(agents.map((agent) => [agent, began + 20 * minutes]));
  for (let left = Math.round((110 * world.settings.customers) / 10_000); left > 0; left -= 1) {
    const person = world.people.anybody(random);
    const ticket = { id: world.name('tkt'), customer: person.id, openedAt: 0, lastAt: 0 };
    helpdesk.write(ticket, began + random.between(0, 2) * hours, label);
    const agent = random.pick(agents);
    const at = Math.max(ticket.lastAt + minutes, next.get(agent) as number);
    helpdesk.read(agent, ticket, at, label);
    helpdesk.work(agent, ticket, 'reply', at + 50 * seconds, label);
    next.set(agent, at + random.between(80, 200) * seconds);
  }
};

/** An agent asks a list of customers for a new card, because theirs end. */
const outreach: Episode = (scene, day, label) => {
  const { world, random, helpdesk } = scene;
  if (isWeekend(day)) return;
  const agent = random.pick(helpdesk.onShift(day));
  let at = day + random.between(8, 10) * hours;
  for (let left = random.integer(8, 15); left > 0; left -= 1) {
    const ticket = { id: world.name('tkt'), customer: world.people.anybody(random).id };
    helpdesk.read(agent, ticket, at, label);
    helpdesk.work(agent, ticket, 'update', at + 2 * minutes, label);
    helpdesk.work(agent, ticket, 'reply', at + 3 * minutes, label);
    at += random.between(6, 20) * minutes;
  }
};

/** A laptop in the office and a desktop in the call room, or a phone's network and the office's. */
const twoPlaces =
  (what: 'device' | 'ip'): Episode =>
  (scene, day, label) => {
    const { world, random, helpdesk } = scene;
    const agent = random.pick(helpdesk.onShift(day));
    const tickets = helpdesk.recentBefore(day);
    if (tickets.length === 0) return;
    const other = what === 'device' ? world.people.device() : `100.80.7.${random.integer(1, 250)}`;
    let at = whenAtWork(random, day);
    for (const isOther of [false, true, false, random.chance(0.5)]) {
      const ticket = random.pick(tickets);
      helpdesk.read(
        agent,
        ticket,
        at,
        label,
        isOther && what === 'device' ? other : agent.device,
        isOther && what === 'ip' ? other : agent.ip,
      );
      if (random.chance(0.5)) helpdesk.work(agent, ticket, 'reply', at + minutes, label);
      at += random.between(1.5, 3) * minutes;
    }
  };

/** Somebody pays with the card of a parent from elsewhere while that one asks support about it. */
const borrowedCard: Episode = (scene, day, label) => {
  const { world, random, helpdesk } = scene;
  const parent = world.people.regular(random);
  const card = parent.cards[0] as string;
  const at = whenShopping(random, day, parent.home);
  helpdesk.open(parent, at, label);
  const child = world.people.anybody(random);
  let later = at + random.between(10, 50) * minutes;
  for (const declined of [refused, refused, undefined]) {
    attempt(
      scene,
      {
        person: child,
        at: later,
        card,
        place: placeOf(scene, child, later),
        amount: money(4_500, child.currency),
        order: world.name('ord'),
      },
      declined,
      label,
    );
    later += random.between(1, 5) * minutes;
  }
};

/** A day and 10,000 customers. */
const episodes: readonly (readonly [kind: string, aDay: number, episode: Episode])[] = [
  ['family tablet', 0.25, family],
  ['public machine', 0.5, publicMachine],
  ['traveller who writes to support', 0.05, stuckTraveller],
  ['tries every device', 0.05, everyDevice],
  ['new firm', 0.03, newFirm],
  ['crowd of new customers', 0.02, crowd],
  ['renewal tried every few hours', 0.03, eagerRenewal],
  ['mistypes the code', 0.05, fumbler],
  ['buys all day', 0.06, bigDay],
  ['borrowed card', 0.04, borrowedCard],
  ['trainee', 0.03, trainee],
  ['quality review', 0.08, review],
  ['incident', 0.02, incident],
  ['outreach to customers', 0.03, outreach],
  ['works at two machines', 0.02, twoPlaces('device')],
  ['network changes', 0.2, twoPlaces('ip')],
];

/** Innocent people and staff who do what attackers do. */
export const lookAlike = (scene: Scene, day: number): void => {
  const { world, random } = scene;
  for (const [kind, aDay, episode] of episodes)
    for (let left = random.poisson(world.rate(aDay)); left > 0; left -= 1) episode(scene, day, world.lookAlike(kind));
  monthEnd(scene, day);
  students(scene, day);
  hunters(scene, day);
};
