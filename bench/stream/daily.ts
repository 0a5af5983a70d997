import type { LookAlike } from './acts';
import { dayOfMonth, days, demandOn, hours, minutes, whenAtWork, whenShopping } from './calendar';
import { foundOr } from './found';
import { mailProviders, type Person } from './people';
import { attempt, buy, change, money, newDevice, placeOf, recover, type Scene } from './shopping';

/** What is declared of the ordinary days: a day and 10,000 customers. */
export const rates = {
  recoveries: 10,
  /** Of them, pay or change something within 72 hours. */
  followed: 1 / 3,
  cardChanges: 20,
  addressChanges: 5,
  contactChanges: 1,
  /** With the size of the merchant only, not with what is rare. */
  newCustomers: 8,
  tickets: 130,
  claims: 10,
} as const;

const followUp = 72 * hours;

/** What everybody does every day. */
export class Daily {
  /** Changes that follow a recovery, by day: they are among those declared for the day. */
  private readonly ahead = new Map<number, { cards: number; addresses: number }>();
  private readonly travellers = new Map<Person, { label: LookAlike; trip: Person['trip'] }>();
  private readonly hidden = new Map<Person, LookAlike>();

  constructor(private readonly scene: Scene) {}

  live(day: number): void {
    this.join(day);
    this.visit(day);
    this.renew(day);
    this.recoveries(day);
    this.changes(day);
    this.ask(day);
    this.providers(day);
    this.scene.helpdesk.triage(day);
  }

  /** Those abroad and those behind a VPN are named, so that an alarm about them is explained. */
  labelOf(person: Person, at: number): LookAlike | undefined {
    const { world } = this.scene;
    const trip = world.people.tripOn(person, at);
    if (trip) {
      const known = this.travellers.get(person);
      if (known?.trip === trip) return known.label;
      const label = world.lookAlike('traveller');
      this.travellers.set(person, { label, trip });
      return label;
    }
    if (!person.usesVpn) return undefined;
    return foundOr(this.hidden, person, () => world.lookAlike('vpn'));
  }

  private size(): number {
    return this.scene.world.settings.customers / 10_000;
  }

  private join(day: number): void {
    const { world, random } = this.scene;
    for (let left = random.poisson(rates.newCustomers * this.size() * demandOn(day)); left > 0; left -= 1) {
      const domain = random.weighted([
        [random.weighted(mailProviders), 80],
        [random.pick(world.people.regionalProviders), 9],
        [random.pick(world.people.universities), 5],
        [`name-${world.number('own domain')}.example`, 6],
      ] as const);
      const person = world.people.join(day, { domain });
      const at = whenShopping(random, day, person.home);
      buy(this.scene, {
        person: Object.assign(person, { since: Math.floor(at) }),
        at: at + random.between(1, 20) * minutes,
        risk: 0.09,
      });
    }
  }

  private visit(day: number): void {
    const { world, random } = this.scene;
    const demand = demandOn(day);
    for (const person of [...world.people.all]) {
      if (person.since >= day) continue;
      for (
        let left = random.chance(person.visits * demand) ? (person.visits > 1 ? random.poisson(person.visits * demand) : 1) : 0;
        left > 0;
        left -= 1
      ) {
        const at = whenShopping(random, day, world.people.tripOn(person, day)?.country ?? person.home);
        buy(this.scene, { person, at, label: this.labelOf(person, at) });
      }
    }
  }

  /** Subscriptions, and the tries that follow a declined one: once a day or two, by the merchant's own system. */
  private renew(day: number): void {
    const { world, random } = this.scene;
    const date = dayOfMonth(day);
    for (const person of world.people.all) {
      if (person.subscription?.day !== date || person.since >= day) continue;
      const amount = money(person.subscription.minorUnits, person.currency);
      const order = world.name('ord');
      let at = day + random.between(2, 4) * hours;
      const card = person.cards[0] as string;
      if (!random.chance(0.05)) {
        attempt(this.scene, { person, at, card, place: {}, amount, order }, undefined);
        continue;
      }
      const label = world.lookAlike('renewal tried again');
      // Nobody reads the advice of the card's issuer.
      const decline = random.chance(0.04)
        ? ({ code: 'lost_card', advice: 'do_not_try_again' } as const)
        : ({ code: 'insufficient_funds', advice: 'try_again_later' } as const);
      // Most systems stop where they are told to.
      const tries = decline.advice === 'do_not_try_again' && random.chance(0.7) ? 1 : random.integer(2, 6);
      for (let left = tries; left > 0; left -= 1) {
        attempt(this.scene, { person, at, card, place: {}, amount, order }, decline, label);
        at += random.integer(1, 2) * days + random.between(-20, 20) * minutes;
      }
      if (decline.advice !== 'do_not_try_again' && random.chance(0.6))
        attempt(this.scene, { person, at, card, place: {}, amount, order }, undefined, label);
    }
  }

  private recoveries(day: number): void {
    const { world, random } = this.scene;
    for (let left = random.poisson(world.rate(rates.recoveries)); left > 0; left -= 1) {
      const person = world.people.anybody(random);
      const at = whenShopping(random, day, person.home);
      const label = world.lookAlike('recovered their account');
      let place = placeOf(this.scene, person, at);
      // A new phone is why some forgot.
      const isNew = random.chance(0.18);
      if (isNew) place = { ...place, device: newDevice(this.scene, person) };
      recover(this.scene, person, at, place, label);
      if (!random.chance(rates.followed)) continue;
      const next = at + Math.min(followUp - 2 * hours, 5 * minutes + random.exponential(14 * hours));
      if (random.chance(0.72)) {
        // Now and then it is the big present that they came for.
        const minorUnits = random.logNormal(person.typical, 0.6) * (random.chance(0.05) ? 3 : 1);
        buy(this.scene, { person, at: next, place, minorUnits, label });
      } else {
        // Who comes with a new phone may have a new number.
        const isCard = random.chance(isNew ? 0.5 : 0.8);
        const other = isNew ? 'contact' : 'billing-address';
        const what = isCard ? 'card' : random.pick([other, 'shipping-address'] as const);
        change(this.scene, {
          person,
          at: next,
          place,
          what,
          label,
        });
        const counted = this.counted(next);
        if (isCard) counted.cards += 1;
        else if (what !== 'contact') counted.addresses += 1;
      }
    }
  }

  private changes(day: number): void {
    const { world, random } = this.scene;
    const made = this.counted(day);
    const place = (person: Person, at: number) => {
      const usual = placeOf(this.scene, person, at);
      return random.chance(0.04) ? { ...usual, device: newDevice(this.scene, person) } : usual;
    };
    const person = () => world.people.anybody(random);
    for (let left = random.poisson(world.rate(rates.cardChanges)) - made.cards; left > 0; left -= 1) {
      const who = person();
      const at = whenShopping(random, day, who.home);
      change(this.scene, { person: who, at, place: place(who, at), what: 'card', label: this.labelOf(who, at) });
    }
    for (let left = random.poisson(world.rate(rates.addressChanges)) - made.addresses; left > 0; left -= 1) {
      const who = person();
      const at = whenShopping(random, day, who.home);
      const moved = random.chance(0.3) ? world.lookAlike('moved house') : undefined;
      const label = moved ?? this.labelOf(who, at);
      const where = place(who, at);
      change(this.scene, {
        person: who,
        at,
        place: where,
        what: moved ? 'billing-address' : random.pick(['billing-address', 'shipping-address']),
        label,
      });
      if (!moved) continue;
      // The other address follows, for some the card of a new bank, for a few the country.
      const later = at + random.between(1, 9) * days;
      const abroad = random.chance(0.06) ? random.pick(['DE', 'FR', 'AT', 'ES', 'NL', 'CH']) : who.home;
      if (random.chance(0.4)) {
        this.counted(later).addresses += 1;
        change(this.scene, {
          person: who,
          at: later,
          place: { ...where, country: abroad },
          what: 'shipping-address',
          label: moved,
        });
      }
      if (random.chance(0.15)) {
        this.counted(later + days).cards += 1;
        change(this.scene, { person: who, at: later + days, place: { ...where, country: abroad }, what: 'card', label: moved });
      }
      who.home = abroad;
    }
    for (let left = random.poisson(world.rate(rates.contactChanges)); left > 0; left -= 1) {
      const who = person();
      const at = whenShopping(random, day, who.home);
      change(this.scene, { person: who, at, place: place(who, at), what: 'contact', label: this.labelOf(who, at) });
    }
  }

  /** Questions that have nothing to do with a failed payment; some state one. */
  private ask(day: number): void {
    const { world, helpdesk, random } = this.scene;
    const perTicket = rates.claims / rates.tickets;
    for (let left = random.poisson(rates.tickets * this.size() * Math.sqrt(demandOn(day))); left > 0; left -= 1) {
      const person = world.people.anybody(random);
      const at = whenShopping(random, day, person.home);
      const ticket = helpdesk.open(person, at, this.labelOf(person, at));
      if (!random.chance(perTicket)) continue;
      const outcome = random.weighted([
        ['matched', 97.5],
        ['unmatched', 2 * world.settings.times],
        ['contradicted', 0.5 * world.settings.times],
      ] as const);
      const label = outcome === 'matched' ? undefined : world.lookAlike('remembered it wrong');
      helpdesk.claim(ticket, at + 500, outcome, label);
      if (outcome !== 'matched' && random.chance(0.6))
        helpdesk.claim(ticket, at + random.between(1, 20) * hours, 'matched', label);
    }
  }

  /** What providers ask for, and cards that end. */
  private providers(day: number): void {
    const { world, random } = this.scene;
    const notices = [
      ['payment.review', 0.6, 2],
      ['payment.warning', 0.15, 1],
      ['payment.dispute', 0.3, 9],
      ['payment.authorization', 3, 6],
      ['card.expiring', 9, 30],
    ] as const;
    for (const [type, aDay, within] of notices)
      for (let left = random.poisson(aDay * this.size()); left > 0; left -= 1) {
        const person = world.people.regular(random);
        const at = Math.floor(whenAtWork(random, day));
        const paid = random.pick([...person.remembered, undefined]);
        const card = paid?.card || (person.cards[0] as string);
        world.act({
          type,
          at,
          subjects: { customer: person.id, card, ...(type !== 'card.expiring' && { payment: world.name('pay') }) },
          facts: {
            deadline: new Date(at + Math.floor(within * random.between(0.4, 1) * days)).toISOString(),
            ...(paid && type !== 'card.expiring' && { amount: paid.amount }),
          },
        });
      }
  }

  private counted(at: number): { cards: number; addresses: number } {
    return foundOr(this.ahead, Math.floor(at / days), () => ({ cards: 0, addresses: 0 }));
  }
}
