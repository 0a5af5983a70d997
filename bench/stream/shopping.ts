import type { Change, Label, Money } from './acts';
import { hours, minutes, seconds } from './calendar';
import type { Helpdesk } from './helpdesk';
import { exits, type Person } from './people';
import type { Random } from './random';
import type { World } from './world';

/** What acts on a day have at hand. */
export interface Scene {
  readonly world: World;
  readonly helpdesk: Helpdesk;
  readonly random: Random;
}

/** From where somebody pays. */
export interface Place {
  readonly device: string;
  readonly country: string;
  readonly ip: string;
}

/** Issuers' reasons, each with how often it is given, what the provider advises, and how likely the same card fails again. */
const declines = [
  { code: 'insufficient_funds', weight: 42, advice: 'try_again_later', again: 0.7 },
  { code: 'do_not_honor', weight: 24, advice: 'try_again_later', again: 0.65 },
  { code: 'incorrect_cvc', weight: 16, advice: 'confirm_card_data', again: 0.25 },
  { code: 'expired_card', weight: 8, advice: 'confirm_card_data', again: 0.9 },
  { code: 'authentication_required', weight: 8.4, advice: undefined, again: 0.3 },
  { code: 'lost_card', weight: 0.6, advice: 'do_not_try_again', again: 1 },
  { code: 'transaction_not_allowed', weight: 1, advice: 'do_not_try_again', again: 1 },
] as const;
const byWeight = declines.map((decline) => [decline, decline.weight] as const);

/** What an issuer said, and what the provider makes of it. */
export interface Decline {
  readonly code: string;
  readonly advice: string | undefined;
}

export const money = (minorUnits: number, currency: string): Money => ({
  minorUnits: Math.max(50, Math.round(minorUnits)),
  currency,
});

const mobileNetwork = (random: Random, country: string): string =>
  `100.${64 + (country.charCodeAt(0) % 32)}.${country.charCodeAt(1) % 256}.${random.integer(1, 40)}`;

/** Where somebody is when they pay, as far as the merchant can see it. */
export const placeOf = ({ world, random }: Scene, person: Person, at: number): Place => {
  const device = random.chance(0.8) ? (person.devices[0] as string) : random.pick(person.devices);
  if (person.usesVpn && random.chance(0.6)) {
    const country = random.pick(exits);
    return { device, country, ip: `203.0.${country.charCodeAt(0)}.${random.integer(1, 6)}` };
  }
  const trip = world.people.tripOn(person, at);
  if (trip) return { device, country: trip.country, ip: mobileNetwork(random, trip.country) };
  return { device, country: person.home, ip: random.chance(0.6) ? person.ip : mobileNetwork(random, person.home) };
};

/** A device that wasn't seen before: mostly another browser, sometimes a new phone, which stays. */
export const newDevice = ({ world, random }: Scene, person: Person): string => {
  const device = world.people.device();
  if (random.chance(0.45)) person.devices.unshift(device);
  return device;
};

/** Of so many customers one buys where the shop tells of no device, and every second of these where it tells of no country either. */
const untold = 12;

/** What the shop of a customer tells of a place. */
const toldBy = ({ id }: Person, place: Partial<Place>): Partial<Place> => {
  const number = Number.parseInt(id.slice(id.indexOf('_') + 1), 36);
  if (number % untold !== 0) return place;
  const { device: _, country, ...others } = place;
  return number % (2 * untold) === 0 || country === undefined ? others : { ...others, country };
};

export interface Payment {
  readonly person: Person;
  readonly at: number;
  readonly card: string | undefined;
  readonly place: Partial<Place>;
  readonly amount: Money;
  readonly order: string;
}

/** One attempt, as the provider reports it. */
export const attempt = ({ world }: Scene, payment: Payment, declined: Decline | undefined, label?: Label): void => {
  const { person, card, place, order, amount } = payment;
  const at = Math.floor(payment.at);
  const { country, ...seen } = toldBy(person, place);
  world.act(
    {
      type: declined ? 'payment.attempt.declined' : 'payment.attempt.succeeded',
      at,
      subjects: {
        customer: person.id,
        ...(card && { card }),
        ...seen,
        emailDomain: person.domain,
        order,
        payment: world.name('pay'),
      },
      facts: {
        ...(country && { country }),
        amount,
        customerSince: new Date(person.since).toISOString(),
        ...(declined && { declineCode: declined.code, ...(declined.advice && { advice: declined.advice }) }),
      },
    },
    label,
  );
  if (declined) return;
  if (label?.is === 'campaign') {
    if (at < world.end) label.successes.push(at);
    return;
  }
  person.largest = Math.max(person.largest, amount.minorUnits);
  person.remembered.unshift({ at, amount, card: card ?? '', order });
  person.remembered.length = Math.min(person.remembered.length, 5);
};

export interface Purchase {
  readonly person: Person;
  readonly at: number;
  readonly place?: Place;
  readonly card?: string;
  readonly minorUnits?: number;
  /** That the first attempt is declined. */
  readonly risk?: number;
  readonly label?: Label | undefined;
}

/** Somebody buys something: tries, tries again, takes another card, gives up, asks for help. Gives whether they got it. */
export const buy = (scene: Scene, purchase: Purchase): boolean => {
  const { world, helpdesk, random } = scene;
  const { person, label } = purchase;
  let place = purchase.place ?? placeOf(scene, person, purchase.at);
  if (!purchase.place && random.chance(0.012)) place = { ...place, device: newDevice(scene, person) };
  const isAway = place.country !== person.home;
  let card = purchase.card ?? (random.chance(0.85) ? (person.cards[0] as string) : random.pick(person.cards));
  let risk = purchase.risk ?? (isAway ? 0.14 : 0.05);
  let { at } = purchase;
  const amount = money(purchase.minorUnits ?? random.logNormal(person.typical, 0.6), person.currency);
  const order = world.name('ord');
  let used = 1;
  for (let tries = 1; tries <= 7; tries += 1) {
    const declined = random.chance(risk) ? random.weighted(byWeight) : undefined;
    attempt(scene, { person, at, card, place, amount, order }, declined, label);
    if (!declined) return true;
    const dead = declined.advice === 'do_not_try_again';
    const next = random.weighted([
      ['again', dead ? 15 : 48],
      ['other card', used >= 3 ? 5 : 25],
      ['leave', 24],
    ] as const);
    if (next === 'leave') break;
    at += random.between(20 * seconds, 5 * minutes);
    if (next === 'again') risk = declined.again;
    else {
      const others = person.cards.filter((each) => each !== card);
      if (others.length === 0) person.cards.push(...world.people.cards(1));
      card = random.pick(person.cards.filter((each) => each !== card));
      used += 1;
      risk = isAway ? 0.2 : 0.12;
    }
  }
  if (random.chance(0.12)) {
    const asked = at + random.exponential(2 * hours);
    helpdesk.open(person, asked, label);
    // They try again while somebody looks into it.
    for (
      let left = random.weighted([
        [0, 50],
        [1, 35],
        [2, 15],
      ] as const);
      left > 0;
      left -= 1
    ) {
      at = Math.max(at, asked) + random.exponential(3 * hours);
      const declined = random.chance(0.35) ? random.weighted(byWeight) : undefined;
      attempt(scene, { person, at, card, place, amount, order }, declined, label);
      if (!declined) return true;
    }
  }
  return false;
};

/** A card, an address or a contact is changed, by the customer or in their name; gives the new card, where it is one. */
export const change = (
  { world, random }: Scene,
  {
    person,
    at,
    place,
    what,
    label,
  }: {
    person: Person;
    at: number;
    place: Place;
    what: Change;
    label?: Label | undefined;
  },
): string | undefined => {
  const [card] = what === 'card' ? world.people.cards(1) : [];
  if (card && label?.is !== 'campaign') {
    // The old one may still be tried.
    if (random.chance(0.1)) person.cards.push(person.cards[0] as string);
    person.cards[0] = card;
  }
  const { country, ...seen } = toldBy(person, place);
  world.act(
    {
      type: 'credential.changed',
      at: Math.floor(at),
      subjects: {
        customer: person.id,
        ...seen,
        ...(card && { card }),
        emailDomain: person.domain,
      },
      facts: { ...(country && { country }), change: what, customerSince: new Date(person.since).toISOString() },
    },
    label,
  );
  return card;
};

export const recover = ({ world }: Scene, person: Person, at: number, place: Place, label?: Label): void => {
  const { country, ...seen } = place;
  world.act(
    {
      type: 'account.recovery',
      at: Math.floor(at),
      subjects: { customer: person.id, ...seen, emailDomain: person.domain },
      facts: { country },
    },
    label,
  );
};
