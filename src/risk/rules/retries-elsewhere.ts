import { z } from 'zod';
import { familiarNeeds, familiarTo } from '../familiar';
import { defineRule } from '../rule';
import type { Signal } from '../signal';
import { whole, withinDays, withinHours, withinMinutes } from '../thresholds';
import {
  around,
  attempts,
  counted,
  days,
  different,
  isDecline,
  minutes,
  purchases,
  signalsIn,
  spell,
  stretchWith,
} from '../windows';

const thresholds = z.strictObject({
  attempts: whole(2, 100),
  /** So many countries, or so many devices, among the attempts. */
  countries: whole(2, 20),
  devices: whole(2, 50),
  declines: whole(0, 100),
  withinMinutes: withinMinutes(),
  /** A ticket counts as open for so long after the customer's last contact, unless it was closed. */
  ticketDays: withinDays(),
  /** Devices that the customer was seen with in so many days, leaving out the last hours, are their own. */
  unseenDays: withinDays(),
  settledHours: withinHours(),
});

const contacts = ['ticket.contact', 'ticket.closed'] as const;

/** The last contact of each ticket that wasn't closed since, by an instant. */
const openAt = (signals: readonly Signal[], until: number): readonly Signal[] => {
  const open = new Map<string | undefined, Signal>();
  for (const signal of signals) {
    if (signal.occurredAt.getTime() > until) break;
    if (signal.type === 'ticket.contact') open.set(signal.subjects.ticket, signal);
    else if (signal.isBackdated) continue;
    // One that doesn't say which ticket was closed closes all.
    else if (signal.subjects.ticket === undefined) open.clear();
    else open.delete(signal.subjects.ticket);
  }
  return [...open.values()];
};

/** While support has a ticket of the customer open, somebody tries to pay from elsewhere. */
export const retriesElsewhere = defineRule({
  name: 'retries-elsewhere',
  version: 2,
  isAboutAgents: false,
  triggers: [...attempts, 'ticket.contact'],
  effects: ['alert', 'challenge'],
  thresholds,
  explain: (it) =>
    `the customer has an open ticket (contact within ${counted(it.ticketDays, 'day')}) and within ${spell(it.withinMinutes * minutes)} there are ${it.attempts} attempts or more from ${it.countries} countries or ${it.devices} devices, ${it.declines} of them declined or more; one order that is tried mostly with devices of the customer's own doesn't count`,
  needs: (it) => [
    ...familiarNeeds(it),
    { of: 'signals', subject: 'customer', types: attempts, back: it.withinMinutes * minutes },
    { of: 'signals', subject: 'customer', types: contacts, back: it.ticketDays * days },
  ],
  *judge(signal, it) {
    const length = it.withinMinutes * minutes;
    const reach = { back: length, ahead: length };
    const [tries = []] = yield* signalsIn(around(signal, 'customer', attempts, reach));
    const isElsewhere = (stretch: readonly Signal[]): boolean =>
      stretch.length >= it.attempts &&
      stretch.filter(isDecline).length >= it.declines &&
      (different(stretch, ({ facts }) => facts.country).size >= it.countries ||
        different(stretch, ({ subjects }) => subjects.device).size >= it.devices);
    // A contact isn't an attempt: what was tried in the hour around it counts.
    const centres = signal.type === 'ticket.contact' ? tries : [signal];
    if (tries.length < it.attempts) return null;
    let found: readonly Signal[] | null = null;
    for (const centre of centres) {
      found = stretchWith(tries, centre, length, isElsewhere);
      if (found) break;
    }
    if (!found) return null;
    const until = Math.max(found.at(-1)!.occurredAt.getTime(), signal.occurredAt.getTime());
    const [talks = []] = yield* signalsIn(around(signal, 'customer', contacts, { back: it.ticketDays * days, ahead: length }));
    const open = openAt(talks, until);
    if (open.length === 0) return null;
    const familiar = yield* familiarTo(signal.subjects.customer!, found[0]!.occurredAt, it);
    const own = found.filter(({ subjects: { device } }) => device !== undefined && familiar.devices.has(device));
    // One order, tried mostly with what the customer has: they are at home, or on their way.
    if (purchases(found) === 1 && own.length * 2 >= found.length) return null;
    const counts = {
      attempts: found.length,
      countries: different(found, ({ facts }) => facts.country).size,
      devices: different(found, ({ subjects }) => subjects.device).size,
      declines: found.filter(isDecline).length,
    };
    return {
      subject: 'customer',
      window: length,
      counts,
      evidence: [...open, ...found],
      sentence: `While a ticket of the customer is open, ${counted(counts.attempts, 'attempt')} to pay came from ${counts.countries === 1 ? '1 country' : `${counts.countries} countries`} and ${counted(counts.devices, 'device')} within ${spell(length)}, ${counts.declines} of them declined.`,
    };
  },
});
