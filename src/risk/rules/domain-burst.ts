import { z } from 'zod';
import { defineRule } from '../rule';
import type { Signal } from '../signal';
import { whole, withinDays, withinHours } from '../thresholds';
import { around, attempts, counted, days, daysIn, different, hours, isDecline, signalsIn, spell, stretchWith } from '../windows';

const thresholds = z.strictObject({
  customers: whole(2, 1_000),
  youngerThanDays: withinDays(),
  withinHours: withinHours(),
  /** A domain is established where a customer of it who is older than this has paid within 180 days. */
  establishedDays: whole(1, 3_650),
});

const memory = 180 * days;
const paid = ['payment.attempt.succeeded'] as const;

const isYoung = ({ occurredAt, facts: { customerSince } }: Signal, within: number): boolean =>
  customerSince !== undefined && occurredAt.getTime() - customerSince.getTime() < within;

/** New customers of one e-mail domain that nobody knew start to pay together. */
export const domainBurst = defineRule({
  name: 'domain-burst',
  version: 3,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'challenge', 'propose-group-hold'],
  thresholds,
  explain: (it) =>
    `${it.customers} customers or more of one e-mail domain, each for less than ${it.youngerThanDays} days, try to pay within ${spell(it.withinHours * hours)}; shared mail providers are exempt, and domains with a customer for more than ${it.establishedDays} days who has paid`,
  needs: (it) => [
    { of: 'signals', subject: 'emailDomain', types: attempts, back: it.withinHours * hours },
    { of: 'days', subject: 'emailDomain', types: paid, back: memory },
  ],
  *judge(signal, it, { isSharedMailDomain }) {
    const domain = signal.subjects.emailDomain;
    const young = it.youngerThanDays * days;
    if (domain === undefined || !isYoung(signal, young) || isSharedMailDomain(domain)) return null;
    const length = it.withinHours * hours;
    const [tries = []] = yield* signalsIn(around(signal, 'emailDomain', attempts, { back: length, ahead: length }));
    const customerOf = ({ subjects }: Signal) => subjects.customer;
    const evidence = stretchWith(
      tries.filter((each) => isYoung(each, young)),
      signal,
      length,
      (stretch) => stretch.length >= it.customers && different(stretch, customerOf).size >= it.customers,
    );
    if (!evidence) return null;
    const from = new Date(signal.occurredAt.getTime() - memory);
    const [past = []] = yield* daysIn({ subject: 'emailDomain', value: domain, types: paid, from, to: signal.occurredAt });
    const old = it.establishedDays * days;
    if (past.some(({ day, customerSince }) => customerSince !== null && (day + 1) * days - customerSince.getTime() > old))
      return null;
    const customers = different(evidence, customerOf).size;
    const declines = evidence.filter(isDecline).length;
    const countries = different(evidence, ({ facts }) => facts.country).size;
    // Colleagues who begin together are in one country, and their cards are theirs: one, or one of some four, is away, or is declined, however
    // often they try.
    const peopleIn = (country: string) =>
      different(
        evidence.filter(({ facts }) => facts.country === country),
        customerOf,
      );
    const most = Math.max(0, ...[...different(evidence, ({ facts }) => facts.country)].map((each) => peopleIn(each).size));
    const tolerated = Math.max(2, customers / 4);
    const declined = different(evidence.filter(isDecline), customerOf).size;
    const isColleagues = most > 0 && customers - most < tolerated && declined < tolerated;
    return {
      subject: 'emailDomain',
      window: length,
      counts: { customers, attempts: evidence.length, declines, countries },
      evidence,
      withheld: isColleagues ? ['propose-group-hold'] : [],
      sentence: `${counted(customers, 'customer')} of one e-mail domain, each for less than ${it.youngerThanDays} days, tried to pay within ${spell(length)}, ${declines} of ${evidence.length} attempts declined.`,
    };
  },
});
