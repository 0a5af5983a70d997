import type { Campaign } from './acts';
import { type Attack, attackersPlace, ordersOf, refusal } from './attack-cards';
import { days, hours, minutes } from './calendar';
import type { Person } from './people';
import { attempt, change, money, type Place, recover, type Scene } from './shopping';

/** What nobody can tell from the owner: their own machine, taken over as well. */
const ownPlace = (person: Person): Place => ({ device: person.devices[0] as string, country: person.home, ip: person.ip });

/** Days later the owner writes, and gets the account back: part of the story, and no false alarm. */
const aftermath = ({ world, helpdesk, random }: Scene, campaign: Campaign, person: Person, at: number): void => {
  if (!random.chance(0.6)) return;
  const noticed = at + random.between(1, 5) * days;
  const label = { is: 'aftermath', of: campaign } as const;
  helpdesk.open(person, noticed, label);
  if (random.chance(0.4)) recover({ world, helpdesk, random }, person, noticed + 2 * hours, ownPlace(person), label);
};

interface Spending {
  readonly person: Person;
  readonly place: Place;
  readonly at: number;
  readonly minorUnits: number;
  /** That it is declined. */
  readonly risk: number;
  /** In place of the one that is stored. */
  readonly card?: string | undefined;
}

const spend = (scene: Scene, campaign: Campaign, { person, place, at, minorUnits, risk, card }: Spending): void =>
  attempt(
    scene,
    {
      ...{ person, at, place, card: card ?? person.cards[0] },
      ...{ amount: money(minorUnits, person.currency), order: scene.world.name('ord') },
    },
    scene.random.chance(risk) ? refusal(scene) : undefined,
    campaign,
  );

const usualMost = (person: Person): number => Math.max(person.largest, person.typical);

/** Accounts are recovered by whoever reads the owners' mail, and what is stored there is spent. */
const takeover: Attack = (scene, campaign, start) => {
  const { random, world } = scene;
  const { variant } = campaign;
  let begin = start;
  for (let victims = random.integer(5, 14); victims > 0; victims -= 1) {
    const person = world.people.regular(random);
    const place = variant === 'hidden' ? ownPlace(person) : attackersPlace(scene, person.home, variant === 'careful' ? 0.7 : 0.3);
    recover(scene, person, begin, place, campaign);
    let at = begin + (variant === 'plain' ? random.between(4, 90) * minutes : random.between(10, 55) * hours);
    if (random.chance(0.4)) {
      change(scene, {
        person,
        at: at - random.between(1, 3) * minutes,
        place,
        what: random.pick(['contact', 'shipping-address']),
        label: campaign,
      });
    }
    // A purchase as the owner makes them goes before.
    if (variant === 'careful' && random.chance(0.6)) {
      spend(scene, campaign, { person, place, at, minorUnits: person.typical * 0.6, risk: 0.05 });
      at += random.between(2, 10) * hours;
    }
    for (let left = random.integer(1, 3); left > 0; left -= 1) {
      const factor =
        variant === 'hidden'
          ? random.between(0.8, 1.4)
          : variant === 'careful'
            ? random.between(1.55, 2.5)
            : random.between(1.7, 6);
      spend(scene, campaign, { person, place, at, minorUnits: usualMost(person) * factor, risk: 0.3 });
      at += random.between(4, 60) * minutes;
    }
    aftermath(scene, campaign, person, at);
    begin += variant === 'plain' ? random.between(0.3, 5) * hours : random.between(2, 14) * hours;
  }
};

/** Somebody who has the password changes where goods or messages go, and orders with the stored card. */
const changedAgainstHistory: Attack = (scene, campaign, start) => {
  const { random, world } = scene;
  const { variant } = campaign;
  let begin = start;
  for (let victims = random.integer(5, 12); victims > 0; victims -= 1) {
    const person = world.people.regular(random);
    const place =
      variant === 'hidden' ? ownPlace(person) : attackersPlace(scene, person.home, variant === 'careful' ? 0.75 : 0.35);
    // Some put a card of their own, or one that they bought, in place of the stored one.
    const first = random.pick(['shipping-address', 'shipping-address', 'contact', 'billing-address', 'card'] as const);
    const card = change(scene, { person, at: begin, place, what: first, label: campaign });
    let at = begin + random.between(2, 30) * minutes;
    if (random.chance(0.5)) {
      change(scene, { person, at, place, what: first === 'contact' ? 'shipping-address' : 'contact', label: campaign });
      at += random.between(2, 20) * minutes;
    }
    if (variant === 'careful') at += random.between(4, 60) * hours;
    for (let left = random.integer(1, 3); left > 0; left -= 1) {
      spend(scene, campaign, { person, place, at, card, minorUnits: random.logNormal(person.typical * 1.3, 0.5), risk: 0.2 });
      at += random.between(5, 90) * minutes;
    }
    aftermath(scene, campaign, person, at);
    begin += random.between(0.5, 9) * hours;
  }
};

/** While the owners ask support about a declined card, somebody else tries it from all over the world. */
const retriesElsewhere: Attack = (scene, campaign, start) => {
  const { random, world, helpdesk } = scene;
  const { variant } = campaign;
  let begin = start;
  for (let victims = random.integer(4, 10); victims > 0; victims -= 1) {
    const person = world.people.regular(random);
    const card = person.cards[0] as string;
    helpdesk.open(person, begin, campaign);
    const order = ordersOf(scene);
    let at = begin + random.between(3, 90) * minutes;
    const only = attackersPlace(scene, person.home, 1);
    const places = Array.from({ length: variant === 'careful' ? 2 : random.integer(3, 5) }, () =>
      attackersPlace(scene, person.home, 0),
    );
    if (variant === 'careful') places[0] = attackersPlace(scene, person.home, 1);
    for (let tries = variant === 'plain' ? random.integer(5, 12) : random.integer(3, 5); tries > 0; tries -= 1) {
      const place = variant === 'hidden' ? only : (places[tries % places.length] as Place);
      const amount = money(random.logNormal(person.typical * 1.5, 0.5), person.currency);
      const failed = random.chance(0.75) ? refusal(scene) : undefined;
      attempt(scene, { person, at, card, place, amount, order: order() }, failed, campaign);
      at += variant === 'plain' ? random.between(1, 6) * minutes : random.between(6, 18) * minutes;
    }
    begin += random.between(0.5, 8) * hours;
  }
};

/** Programs buy vouchers with what is stored in accounts. */
const volumeSpike: Attack = (scene, campaign, start) => {
  const { random, world } = scene;
  const { variant } = campaign;
  let begin = start;
  for (let victims = random.integer(3, 8); victims > 0; victims -= 1) {
    const person = world.people.regular(random);
    const place = variant === 'plain' ? attackersPlace(scene, person.home, 0.5) : ownPlace(person);
    let at = begin;
    for (
      let left = variant === 'hidden' ? 4 : variant === 'careful' ? random.integer(7, 9) : random.integer(9, 25);
      left > 0;
      left -= 1
    ) {
      spend(scene, campaign, { person, place, at, minorUnits: random.pick([2_500, 5_000, 10_000]), risk: 0.62 });
      at += variant === 'plain' ? random.between(1, 12) * minutes : random.between(10, 60) * minutes;
    }
    aftermath(scene, campaign, person, at);
    begin += random.between(1, 12) * hours;
  }
};

/** Tickets that state payments nobody made, or other people's; for some an account is opened or an address changed. */
const falseClaims: Attack = (scene, campaign, start) => {
  const { random, world, helpdesk } = scene;
  const { variant } = campaign;
  let begin = start;
  for (let victims = random.integer(6, 12); victims > 0; victims -= 1) {
    const person = world.people.regular(random);
    const place = attackersPlace(scene, person.home, 0.6);
    const ticket = helpdesk.open(person, begin, campaign);
    let at = begin + random.between(1, 30) * minutes;
    for (let claims = variant === 'plain' ? random.integer(2, 5) : 1; claims > 0; claims -= 1) {
      helpdesk.claim(ticket, at, variant === 'hidden' ? 'matched' : random.chance(0.7) ? 'unmatched' : 'contradicted', campaign);
      at += random.between(5, 60) * minutes;
    }
    if (random.chance(0.5)) {
      at += random.between(0.5, 6) * hours;
      recover(scene, person, at, place, campaign);
      campaign.successes.push(Math.floor(at));
    }
    aftermath(scene, campaign, person, at);
    begin += variant === 'plain' ? random.between(0.5, 6) * hours : random.between(4, 16) * hours;
  }
};

export const accountAttacks: readonly (readonly [kind: string, weight: number, attack: Attack])[] = [
  ['recovery then payment', 2, takeover],
  ['change against history', 2, changedAgainstHistory],
  ['retries from elsewhere', 1.5, retriesElsewhere],
  ['volume spike', 1.5, volumeSpike],
  ['claims against the record', 1, falseClaims],
];
