import { z } from 'zod';
import { familiarNeeds, familiarTo, isHomeAsFarAsTold, isNewCountry, isNewDevice, isOnOwnDevice, isPlaced } from '../familiar';
import { defineRule, type RuleEffect } from '../rule';
import { changed, type Signal, type SignalType, signalName } from '../signal';
import { factor, withinDays, withinHours } from '../thresholds';
import { around, attempts, hours, purchases, signalsIn, spell } from '../windows';

const thresholds = z.strictObject({
  withinHours: withinHours(),
  /** A payment counts that is so many times larger than the largest that succeeded before. */
  times: factor(),
  unseenDays: withinDays(),
  settledHours: withinHours(),
});

/** From when on an account may be somebody else's: its recovery, or that whoever has the ticket says so. */
const recoveries: readonly SignalType[] = ['account.recovery', 'ticket.concern'];
const acts = [...attempts, 'credential.changed'] as const;
/** Payments of which the largest tells what is usual. */
const leastPaid = 3;

const words = { country: 'a new country', device: 'a new device', contact: 'a contact changed since' };

/** An account was recovered, and then it is used in a way that its owner might not. */
export const recoveryThenPayment = defineRule({
  name: 'recovery-then-payment',
  version: 4,
  isAboutAgents: false,
  triggers: [...acts, ...recoveries],
  effects: ['alert', 'challenge', 'propose-hold'],
  thresholds,
  explain: (it) =>
    `within ${spell(it.withinHours * hours)} after an account was recovered or a concern about it was reported, payment details or an address are changed, or a payment is tried of more than ${it.times} times the largest within ${it.unseenDays} days; what comes from a device of the customer's own, and from no new country, doesn't count, and a hold is proposed where a new country, another payment or change, or a contact changed from an unknown country stands beside a new device or one that isn't told`,
  needs: (it) => [
    ...familiarNeeds(it),
    { of: 'signals', subject: 'customer', types: [...acts, ...recoveries], back: it.withinHours * hours },
  ],
  *judge(signal, it) {
    const { customer } = signal.subjects;
    if (customer === undefined) return null;
    const length = it.withinHours * hours;
    const isRecovery = recoveries.some((type) => type === signal.type);
    const reach = isRecovery ? { back: 0, ahead: length } : { back: length, ahead: 0 };
    const [near = []] = yield* signalsIn(around(signal, 'customer', recoveries, reach));
    const recovery = isRecovery ? signal : near[0];
    if (!recovery) return null;
    const since = recovery.occurredAt.getTime();
    const [all = []] = yield* signalsIn({
      subject: 'customer',
      value: customer,
      types: acts,
      from: recovery.occurredAt,
      to: isRecovery ? new Date(since + length) : signal.occurredAt,
    });
    if (all.length === 0) return null;
    const familiar = yield* familiarTo(customer, recovery.occurredAt, it);
    const isLarge = ({ facts: { amount } }: Signal): boolean => {
      const most = amount && familiar.largest.get(amount.currency);
      return most !== undefined && amount!.minorUnits > it.times * most;
    };
    const counting = all.filter((each) => each.type === 'credential.changed' || isLarge(each));
    // A past that is read has signals of its own: the same one is known by its name.
    if (!isRecovery && !counting.some((each) => signalName(each) === signalName(signal))) return null;
    if (counting.length === 0) return null;
    const isReported = recovery.type === 'ticket.concern';
    // A report says nothing of where its customer is, and an identity provider may not know.
    const seen = isReported || !isPlaced(recovery) ? counting : [recovery, ...counting];
    // Whoever has the customer's device in the customer's country is the customer. Of a recovery often only the country is told.
    if (seen.every((each) => (each === recovery ? isHomeAsFarAsTold : isOnOwnDevice)(each, familiar))) return null;
    const payments = counting.filter(({ type }) => type !== 'credential.changed');
    const changes = counting.length - payments.length;
    // What is done at home is done by the customer. The largest of one or two payments is no measure of a third.
    const away = counting.filter((each) => !isOnOwnDevice(each, familiar));
    const paidAway = away.filter(({ type }) => type !== 'credential.changed');
    const changedAway = away.length - paidAway.length;
    // A payment that is declined and tried again is one.
    const done = changedAway + (familiar.paid >= leastPaid ? purchases(paidAway) : 0);
    const signs = {
      country: seen.some((each) => isNewCountry(each, familiar)),
      device: seen.some((each) => isNewDevice(each, familiar)),
      // A change that doesn't say of what may be one of the contact.
      contact: counting.some(
        (each) =>
          each.type === 'credential.changed' &&
          (changed(each) === 'contact' || (changed(each) === undefined && payments.length > 0)),
      ),
    };
    const named = (Object.keys(signs) as (keyof typeof signs)[]).filter((name) => signs[name]);
    // Many recover an account because of a new telephone: that it is new says little by itself.
    const isAllOnOwnDevices = seen.every(({ type, subjects: { device } }) =>
      device === undefined ? type === 'account.recovery' : familiar.devices.has(device),
    );
    // Whoever travels has their own device with them.
    const isElsewhere = seen.some(
      (each) => isNewCountry(each, familiar) && (each.subjects.device === undefined || isNewDevice(each, familiar)),
    );
    const isInOwnCountry = seen.every(({ facts: { country } }) => country !== undefined && familiar.countries.has(country));
    // A contact that is changed is what was done: what stands beside it is another act, or where it was done from.
    const isGrave = signs.device
      ? isElsewhere || done > 1 || (signs.contact && !isInOwnCountry)
      : named.length > 0 && !isAllOnOwnDevices && (signs.country || done > 1);
    const did = [
      ...(changes > 0 ? ['changed payment details or an address'] : []),
      ...(payments.length > 0 ? ['paid more than ever before'] : []),
    ];
    return {
      subject: 'customer',
      window: length,
      counts: { changes, payments: payments.length, signs: named.length },
      evidence: [recovery, ...counting],
      withheld: isGrave ? [] : (['propose-hold'] satisfies RuleEffect[]),
      sentence: `Within ${spell(length)} after ${isReported ? 'a concern about an account was reported' : 'an account was recovered'}, somebody ${did.join(' and ')} with it${named.length > 0 ? `, with ${named.map((name) => words[name]).join(', ')}` : ''}.`,
    };
  },
});
