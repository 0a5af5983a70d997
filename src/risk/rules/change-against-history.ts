import { z } from 'zod';
import { familiarNeeds, familiarTo, isNewCountry, isNewDevice, isNowhereElse, isPlaced } from '../familiar';
import { defineRule, type RuleEffect } from '../rule';
import { changed, type Signal } from '../signal';
import { whole, withinDays, withinHours } from '../thresholds';
import { around, counted, days, hours, signalsIn } from '../windows';

const thresholds = z.strictObject({
  /** How many signs must stand together: a new country, a new device, a contact changed lately, another change. */
  signs: whole(1, 4),
  /** A country or device that the customer wasn't seen with for so long. */
  unseenDays: withinDays(),
  /** What the customer was first seen with later than this isn't theirs yet. */
  settledHours: withinHours(),
  /** Contact data that was changed within so many days. */
  contactDays: withinDays(),
  /** Another change within so many days. */
  secondDays: withinDays(),
});

const changes = ['credential.changed'] as const;
const addresses: ReadonlySet<string | undefined> = new Set(['billing-address', 'shipping-address']);

/** A card or address and one more kind, changed in one go, are one move of house and not two changes. */
const isAnotherOccasion = (earlier: Signal, later: Signal): boolean =>
  changed(earlier) === undefined ||
  changed(later) === undefined ||
  changed(earlier) === changed(later) ||
  later.occurredAt.getTime() - earlier.occurredAt.getTime() >= days;

/** Billing and shipping address, changed within an hour, are one address: nobody, wherever they are, changes one thing after the other. */
const isOneAddress = (earlier: Signal, later: Signal): boolean =>
  changed(earlier) !== changed(later) &&
  [earlier, later].every((each) => addresses.has(changed(each))) &&
  later.occurredAt.getTime() - earlier.occurredAt.getTime() <= hours;

/** Sightings from which what is new stops orders. */
const leastSightings = 3;

const words = { country: 'a new country', device: 'a new device', contact: 'a contact changed lately', second: 'another change' };

/** Payment details or an address are changed in a way that doesn't fit the customer's past. */
export const changeAgainstHistory = defineRule({
  name: 'change-against-history',
  version: 3,
  isAboutAgents: false,
  triggers: changes,
  effects: ['alert', 'challenge', 'high-risk-update', 'hold-orders'],
  thresholds,
  explain: (it) =>
    `a card, an address or a contact is changed with ${counted(it.signs, 'sign')} or more: a country or a device that the customer wasn't seen with for ${it.unseenDays} days (leaving out the last ${it.settledHours} hours), contact data changed within ${it.contactDays} days, another change within ${it.secondDays} days; one sign is enough where the signal doesn't tell of both country and device, unless the one that it tells of is the customer's own`,
  needs: (it) => [
    ...familiarNeeds(it),
    { of: 'signals', subject: 'customer', types: changes, back: Math.max(it.contactDays, it.secondDays) * days },
  ],
  *judge(signal, it) {
    const { customer } = signal.subjects;
    if (customer === undefined) return null;
    const back = Math.max(it.contactDays, it.secondDays) * days;
    const [recent = []] = yield* signalsIn(around(signal, 'customer', changes, { back, ahead: 0 }));
    const at = signal.occurredAt.getTime();
    const before = recent.filter((each) => !(each.source === signal.source && each.id === signal.id));
    const within = (each: Signal, most: number) => at - each.occurredAt.getTime() < most * days;
    const contacts = before.filter((each) => changed(each) === 'contact' && within(each, it.contactDays));
    const familiar = yield* familiarTo(customer, signal.occurredAt, it);
    const country = isNewCountry(signal, familiar);
    const device = isNewDevice(signal, familiar);
    // Whoever is in an account for the first time changes one thing after the other.
    const second = before.filter(
      (each) =>
        changed(each) !== 'contact' &&
        within(each, it.secondDays) &&
        (device ? !isOneAddress(each, signal) : isAnotherOccasion(each, signal)),
    );
    const signs = { country, device, contact: contacts.length > 0, second: second.length > 0 || (device && contacts.length > 0) };
    const named = (Object.keys(signs) as (keyof typeof signs)[]).filter((name) => signs[name]);
    // Where one of the two is told and is the customer's own, the other isn't taken for somebody else's.
    const isTold = signal.facts.country !== undefined && signal.subjects.device !== undefined;
    const isOwn = isPlaced(signal) && isNowhereElse(signal, familiar);
    if (named.length < (isTold || isOwn ? it.signs : 1)) return null;
    const today = [...contacts, ...second].some((each) => at - each.occurredAt.getTime() < days);
    // Of whom little is known most devices are new. A new card on a new telephone abroad is what happens to travellers; an address or a contact
    // is not.
    const isGrave = device && familiar.sightings >= leastSightings && (today || (country && changed(signal) !== 'card'));
    return {
      subject: 'customer',
      window: it.secondDays * days,
      counts: { signs: named.length, changes: before.length + 1 },
      evidence: [...new Set([...contacts, ...second, signal])],
      withheld: isGrave ? [] : (['hold-orders'] satisfies RuleEffect[]),
      sentence: `Payment details or an address of a customer were changed against their history: ${named.map((name) => words[name]).join(', ')}.`,
    };
  },
});
