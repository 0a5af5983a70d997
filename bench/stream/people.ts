import type { Money, StreamSettings } from './acts';
import { beginning, days } from './calendar';
import type { Random } from './random';

/** Mail providers that everybody knows, by how many customers have an address there. */
export const mailProviders = [
  ['gmail.com', 34],
  ['outlook.com', 8],
  ['hotmail.com', 6],
  ['icloud.com', 6],
  ['gmx.de', 7],
  ['web.de', 6],
  ['yahoo.com', 4],
  ['t-online.de', 3],
  ['orange.fr', 3],
  ['libero.it', 2],
  ['proton.me', 2],
  ['free.fr', 1],
  ['wp.pl', 1],
  ['ziggo.nl', 1],
  ['bluewin.ch', 1],
] as const;

const countries = [
  ['DE', 34],
  ['FR', 14],
  ['NL', 10],
  ['AT', 7],
  ['CH', 6],
  ['IT', 6],
  ['ES', 6],
  ['BE', 5],
  ['PL', 4],
  ['GB', 5],
  ['US', 2],
  ['DK', 1],
] as const;
const currencies: Readonly<Record<string, string>> = { CH: 'CHF', GB: 'GBP', PL: 'PLN', US: 'USD', DK: 'DKK' };
/** Where people travel. */
const destinations = ['ES', 'IT', 'FR', 'GR', 'TR', 'AT', 'US', 'TH', 'GB', 'PT', 'HR', 'EG', 'NL', 'DE', 'MX', 'JP', 'AE'];
/** Where the exits of VPNs are. */
export const exits = ['NL', 'US', 'SE', 'CH', 'GB', 'SG'];

export interface Trip {
  readonly from: number;
  readonly until: number;
  readonly country: string;
}

/** A payment that somebody remembers. */
export interface Remembered {
  readonly at: number;
  readonly amount: Money;
  readonly card: string;
  readonly order: string;
}

export interface Person {
  readonly id: string;
  /** Since when they are a customer. */
  readonly since: number;
  readonly domain: string;
  home: string;
  readonly currency: string;
  /** The first is the usual one. */
  readonly cards: string[];
  readonly devices: string[];
  readonly ip: string;
  /** Purchases a day. */
  readonly visits: number;
  /** Median of their amounts, minor units. */
  readonly typical: number;
  readonly usesVpn: boolean;
  trip: Trip | undefined;
  nextTrip: number;
  /** Day of the month and price, where they subscribe to something. */
  readonly subscription: { readonly day: number; readonly minorUnits: number } | undefined;
  /** The largest amount that they paid so far, minor units. */
  largest: number;
  readonly remembered: Remembered[];
  readonly role: 'private' | 'employee' | 'finance' | 'reseller';
}

const share = { travelling: 0.02, vpn: 0.01 };
const tripDays = 9;

/** Everybody who is a customer of the merchant, and who becomes one. */
export class Population {
  readonly all: Person[] = [];
  /** People who share a tablet, by whom it belongs to. */
  readonly households: Person[][] = [];
  readonly finance: Person[] = [];
  readonly resellers: Person[] = [];
  readonly universities: string[] = [];
  readonly regionalProviders: string[] = [];
  /** Machines that anybody may use: libraries, hotels. */
  readonly publicDevices: string[] = [];

  constructor(
    private readonly random: Random,
    private readonly settings: StreamSettings,
    private readonly number: (kind: string) => number,
  ) {
    const size = settings.customers / 10_000;
    const few = (count: number) => Math.max(1, Math.round(count * size));
    for (let each = 0; each < few(8); each += 1) this.universities.push(`uni-${this.number('university')}.example`);
    for (let each = 0; each < few(14); each += 1) this.regionalProviders.push(`netz-${this.number('regional')}.example`);
    for (let each = 0; each < few(6); each += 1) this.publicDevices.push(this.device());
    while (this.all.length < settings.customers) this.settle();
    const old = this.all.filter(({ role, domain }) => role === 'employee' && !this.universities.includes(domain));
    for (const boss of random.sample(old, few(4)))
      this.finance.push(
        this.replace(boss, { role: 'finance', cards: this.cards(random.integer(8, 14)), visits: 0.1, typical: 18_000 }),
      );
    const shared = new Set(this.households.flat());
    const traders = this.all.filter((person) => person.role === 'private' && !shared.has(person));
    for (const trader of random.sample(traders, few(12)))
      this.resellers.push(
        this.replace(trader, { role: 'reseller', cards: this.cards(2), visits: random.between(1.5, 4), typical: 9_000 }),
      );
  }

  device(): string {
    return `dev_${this.number('device').toString(36).padStart(6, '0')}`;
  }

  cards(count: number): string[] {
    return Array.from({ length: count }, () => `card_${this.number('card').toString(36).padStart(6, '0')}`);
  }

  /** An address of a network at home. */
  network(): string {
    const number = this.number('network');
    return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  }

  /** Somebody who becomes a customer at a moment. */
  join(
    since: number,
    from: Partial<Pick<Person, 'domain' | 'home' | 'devices' | 'cards' | 'ip' | 'visits' | 'typical' | 'role'>> = {},
  ): Person {
    const person = this.made(since, from);
    this.all.push(person);
    return person;
  }

  /** An account that an attacker opens. It is nobody's neighbour, so no ordinary day has it. */
  stranger(since: number, from: Partial<Pick<Person, 'domain' | 'home' | 'devices' | 'cards' | 'ip'>> = {}): Person {
    return this.made(since, from);
  }

  /** Somebody at random; never one of the few who are special. */
  anybody(random: Random): Person {
    for (;;) {
      const person = random.pick(this.all);
      if (person.role === 'private' || person.role === 'employee') return person;
    }
  }

  /** Somebody who has paid often enough to have habits. */
  regular(random: Random): Person {
    for (let tries = 0; tries < 200; tries += 1) {
      const person = this.anybody(random);
      if (person.remembered.length >= 2) return person;
    }
    return this.anybody(random);
  }

  private settle(): void {
    const { random } = this;
    const since = beginning - Math.floor(random.between(1, 1_500) * days);
    const room = this.settings.customers - this.all.length;
    const where = random.weighted([
      ['alone', 52],
      ['household', 12],
      ['company', 1.1],
      ['university', 3],
      ['regional', 7],
      ['own', 4],
    ] as const);
    if (where === 'household') {
      const size = Math.min(room, random.integer(2, 5));
      const [tablet, home, ip] = [this.device(), random.weighted(countries), this.network()];
      const shared = random.chance(0.15) ? this.cards(1) : [];
      const members = Array.from({ length: size }, () =>
        this.join(since + Math.floor(random.between(0, 300) * days) > beginning ? beginning - days : since, {
          home,
          ip,
          devices: [this.device(), tablet],
          cards: [...this.cards(1), ...shared],
        }),
      );
      if (size > 1) this.households.push(members);
    } else if (where === 'company') {
      const [domain, home, ip] = [`firm-${this.number('company')}.example`, random.weighted(countries), this.network()];
      for (let left = Math.min(room, random.integer(4, 40)); left > 0; left -= 1)
        this.join(beginning - Math.floor(random.between(1, 1_500) * days), { domain, home, ip, role: 'employee' });
    } else {
      const domain = {
        alone: () => random.weighted(mailProviders),
        university: () => random.pick(this.universities),
        regional: () => random.pick(this.regionalProviders),
        own: () => `name-${this.number('own domain')}.example`,
      }[where]();
      this.join(since, { domain });
    }
  }

  private made(since: number, from: Partial<Person>): Person {
    const { random } = this;
    const home = from.home ?? random.weighted(countries);
    const untilTrip = random.exponential((tripDays * (1 - this.travelling())) / this.travelling()) * days;
    const isAway = random.chance(this.travelling());
    const start = Math.max(since, beginning);
    return {
      id: `cus_${this.number('customer').toString(36).padStart(6, '0')}`,
      since,
      domain: from.domain ?? random.weighted(mailProviders),
      home,
      currency: currencies[home] ?? 'EUR',
      cards:
        from.cards ??
        this.cards(
          random.weighted([
            [1, 70],
            [2, 25],
            [3, 5],
          ] as const),
        ),
      devices:
        from.devices ??
        Array.from(
          {
            length: random.weighted([
              [1, 55],
              [2, 38],
              [3, 7],
            ] as const),
          },
          () => this.device(),
        ),
      ip: from.ip ?? this.network(),
      visits: from.visits ?? Math.min(0.6, random.logNormal(0.028, 1)),
      typical: from.typical ?? Math.round(random.logNormal(3_800, 0.7)),
      usesVpn: random.chance(Math.min(0.5, share.vpn * this.settings.times)),
      trip: isAway ? this.trip(start, home) : undefined,
      nextTrip: start + untilTrip,
      subscription: random.chance(0.12)
        ? { day: random.integer(1, 28), minorUnits: random.pick([499, 999, 1_499, 2_900]) }
        : undefined,
      largest: 0,
      remembered: [],
      role: from.role ?? 'private',
    };
  }

  private replace(person: Person, by: Partial<Person>): Person {
    const changed: Person = { ...person, ...by };
    this.all[this.all.indexOf(person)] = changed;
    return changed;
  }

  private travelling(): number {
    return Math.min(0.5, share.travelling * this.settings.times);
  }

  private trip(from: number, home: string): Trip {
    const { random } = this;
    const country = random.pick(destinations.filter((each) => each !== home));
    return { from, until: from + Math.max(2, random.exponential(tripDays)) * days, country };
  }

  /** Whether somebody is away on a day; begins and ends their trips. The share of those away stays what it was. */
  tripOn(person: Person, day: number): Trip | undefined {
    if (person.trip && person.trip.until <= day) {
      person.trip = undefined;
      person.nextTrip = day + this.random.exponential((tripDays * (1 - this.travelling())) / this.travelling()) * days;
    }
    if (!person.trip && person.nextTrip <= day) person.trip = this.trip(day, person.home);
    return person.trip;
  }
}
