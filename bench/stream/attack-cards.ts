import type { Campaign } from './acts';
import { days, hours, minutes, seconds } from './calendar';
import { mailProviders, type Person } from './people';
import { attempt, type Decline, money, type Place, type Scene } from './shopping';

/** An attack: what it does from its beginning on, in one of its variants. */
export type Attack = (scene: Scene, campaign: Campaign, start: number) => void;

const dead: Decline = { code: 'do_not_honor', advice: 'try_again_later' };
const stolen: Decline = { code: 'stolen_card', advice: 'do_not_try_again' };
const empty: Decline = { code: 'insufficient_funds', advice: 'try_again_later' };

/** The orders of a series of attempts: another each time, or one cart that is paid for again and again. */
export const ordersOf = ({ world, random }: Scene): (() => string) => {
  if (random.chance(0.5)) return () => world.name('ord');
  const cart = world.name('ord');
  return () => cart;
};

/** What an issuer says to a number that was bought somewhere. */
export const refusal = ({ random }: Scene): Decline =>
  random.weighted([
    [dead, 60],
    [empty, 30],
    [stolen, 10],
  ] as const);

/** Where attackers come out: many through machines of the victim's own country. */
export const attackersPlace = ({ world, random }: Scene, home: string, nearby = 0.4): Place => ({
  device: world.people.device(),
  country: random.chance(nearby)
    ? home
    : random.pick(['US', 'BR', 'VN', 'NG', 'RO', 'RU', 'TR', 'GB', 'NL', 'FR', 'UA'].filter((each) => each !== home)),
  ip: `45.${random.integer(1, 250)}.${random.integer(1, 250)}.${random.integer(1, 250)}`,
});

const newAccount = ({ world, random }: Scene, at: number, domain: string = random.weighted(mailProviders)): Person =>
  world.people.stranger(Math.floor(at - random.between(0.5, 40) * minutes), { domain, cards: [], devices: [] });

/** Which of many stolen numbers work: small amounts, one card after the other, from one account. */
const testingOnAccount: Attack = (scene, campaign, start) => {
  const { world, random } = scene;
  const isCareful = campaign.variant === 'careful';
  const isHidden = campaign.variant === 'hidden';
  // Some use an account that they took over.
  const person = random.chance(0.3) ? world.people.regular(random) : newAccount(scene, start);
  let place = attackersPlace(scene, person.home);
  const order = ordersOf(scene);
  let at = start;
  const cards = world.people.cards(isHidden ? random.integer(20, 40) : random.integer(14, 60));
  cards.forEach((card, index) => {
    // The careful take another device for every two cards, and their time; the hidden stay at three cards an hour.
    if (isCareful && index % 2 === 0) place = { ...place, device: world.people.device() };
    const amount = money(random.between(50, 400), person.currency);
    const failed = random.chance(0.86) ? refusal(scene) : undefined;
    attempt(scene, { person, at, card, place, amount, order: order() }, failed, campaign);
    at += isHidden
      ? random.between(21, 40) * minutes
      : isCareful
        ? random.between(4, 12) * minutes
        : random.between(15, 90) * seconds;
  });
};

/** The same by guests: each attempt is a customer of its own, at one machine. */
const testingOnDevice: Attack = (scene, campaign, start) => {
  const { world, random } = scene;
  const isCareful = campaign.variant === 'careful';
  const isHidden = campaign.variant === 'hidden';
  const perDevice = isHidden ? 2 : isCareful ? random.integer(5, 7) : 60;
  let at = start;
  let place = attackersPlace(scene, 'DE');
  world.people.cards(random.integer(16, 50)).forEach((card, index) => {
    if (index > 0 && index % perDevice === 0) {
      place = attackersPlace(scene, 'DE');
      at += isHidden ? random.between(20, 90) * minutes : random.between(0, 3) * hours;
    }
    const person = newAccount(scene, at);
    const failed = random.chance(0.85) ? refusal(scene) : undefined;
    attempt(
      scene,
      { person, at, card, place, amount: money(random.between(50, 900), 'EUR'), order: world.name('ord') },
      failed,
      campaign,
    );
    at += isCareful || isHidden ? random.between(3, 9) * minutes : random.between(20, 120) * seconds;
  });
};

/** Accounts by the dozen, at a domain that the attackers own. */
const domainBurst: Attack = (scene, campaign, start) => {
  const { world, random } = scene;
  const { variant } = campaign;
  const waves = variant === 'careful' ? random.integer(2, 4) : 1;
  let begin = start;
  for (let wave = 0; wave < waves; wave += 1) {
    // The hidden use a domain that other customers have been at for long.
    const domain = variant === 'hidden' ? random.pick(world.people.regionalProviders) : `shop-${world.number('burst')}.example`;
    // A domain that was bought had its people: one or two were customers once.
    const isAged = variant === 'careful' && random.chance(0.4);
    if (isAged)
      for (let left = random.integer(1, 2); left > 0; left -= 1)
        world.people.join(begin - random.integer(100, 500) * days, { domain, visits: 0.002 });
    let at = begin;
    for (let left = variant === 'plain' ? random.integer(10, 30) : random.integer(6, 9); left > 0; left -= 1) {
      const person = newAccount(scene, at, domain);
      const place = attackersPlace(scene, person.home, 0.6);
      let when = at;
      for (let tries = random.integer(1, 3); tries > 0; tries -= 1) {
        const failed = random.chance(0.58) ? refusal(scene) : undefined;
        const amount = money(random.between(4_000, 30_000), person.currency);
        attempt(
          scene,
          { person, at: when, card: world.people.cards(1)[0], place, amount, order: world.name('ord') },
          failed,
          campaign,
        );
        if (!failed) break;
        when += random.between(1, 6) * minutes;
      }
      at += variant === 'plain' ? random.between(3, 40) * minutes : random.between(40, 160) * minutes;
    }
    begin += random.between(20, 60) * hours;
  }
};

/** Some good numbers, tried until they give. */
const declineLoop: Attack = (scene, campaign, start) => {
  const { world, random } = scene;
  const { variant } = campaign;
  let begin = start;
  for (let cards = random.integer(3, 8); cards > 0; cards -= 1) {
    const card = world.people.cards(1)[0] as string;
    // An account that doesn't change, or one for each attempt.
    const isOne = random.chance(0.5);
    const order = isOne ? ordersOf(scene) : () => world.name('ord');
    let person = newAccount(scene, begin);
    let place = attackersPlace(scene, person.home);
    let at = begin;
    const total =
      variant === 'hidden' ? random.integer(4, 6) : variant === 'careful' ? random.integer(9, 12) : random.integer(12, 30);
    const decline = variant === 'plain' && random.chance(0.4) ? stolen : random.pick([dead, empty]);
    for (let tries = 0; tries < total; tries += 1) {
      if (!isOne && tries > 0) {
        person = newAccount(scene, at);
        place = attackersPlace(scene, person.home);
      }
      const amount = money(random.between(2_000, 40_000), person.currency);
      const failed = tries === total - 1 && random.chance(0.6) ? undefined : decline;
      attempt(scene, { person, at, card, place, amount, order: order() }, failed, campaign);
      at += variant === 'plain' ? random.between(1, 20) * minutes : (20 / total) * hours * random.between(0.8, 1.1);
    }
    begin += random.between(0.5, 10) * hours;
  }
};

export const cardAttacks: readonly (readonly [kind: string, weight: number, attack: Attack])[] = [
  ['card testing on a customer', 2, testingOnAccount],
  ['card testing on a device', 1.5, testingOnDevice],
  ['domain burst', 2, domainBurst],
  ['decline loop', 1.5, declineLoop],
];
