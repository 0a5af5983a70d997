import type { TicketSnapshot } from '../../upstream/helpdesk/helpdesk.port';
import type { PaymentMethodRecord, TransactionRecord } from '../../upstream/payments/payments.port';
import { asTyped, lastFourOf, testCards } from './cards';
import { castTickets, demoTickets } from './cast';
import { demoCurrencies, priceIn, priceText } from './catalogue';
import { filled, phrases } from './conversation';
import { readDemoCursor, writeDemoCursor } from './cursor';
import { cardStatus, demoHistoryDays, transactionCountOf } from './history';
import { DemoMerchant, helpdeskNumberOf } from './merchant';
import { demoCountries } from './people';
import { Random, weighted } from './random';
import { demoStaff, demoTeams } from './staff';

const anchor = new Date('2026-08-01T13:37:00Z');
const day = 86_400_000;
const begin = new Date('2026-08-01T00:00:00Z').getTime() - demoHistoryDays * day;
const until = new Date('2026-08-01T00:00:00Z').getTime();
const small = new DemoMerchant({ seed: 7, size: 0.04, anchor });

const luhn = (number: string): boolean =>
  [...number].reverse().reduce((sum, digit, place) => {
    const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
    return sum + (value > 9 ? value - 9 : value);
  }, 0) %
    10 ===
  0;

describe('the numbers it is made from', () => {
  test('depend on seed, kind and number, and on nothing else', () => {
    const draws = (seed: number, kind: number, number: number) => {
      const random = new Random(seed, kind, number);
      return [random.bits(), random.bits(), random.bits()].join();
    };
    expect(draws(1, 2, 3)).toBe(draws(1, 2, 3));
    const all = [draws(1, 2, 3), draws(2, 2, 3), draws(1, 3, 3), draws(1, 2, 4), draws(1, 2, -3), draws(3, 2, 1)];
    expect(new Set(all).size).toBe(all.length);
  });

  test('are spread evenly', () => {
    const buckets = new Array<number>(20).fill(0);
    for (let number = 0; number < 20_000; number += 1) {
      const bucket = new Random(1, 1, number).below(20);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  test('follow the weights', () => {
    const pick = weighted(['often', 9], ['seldom', 1]);
    const random = new Random(1, 1, 1);
    const seldom = Array.from({ length: 10_000 }, () => pick(random)).filter((each) => each === 'seldom').length;
    expect(Math.abs(seldom - 1_000)).toBeLessThan(120);
  });
});

describe('equal options give equal merchants', () => {
  const again = new DemoMerchant({ seed: 7, size: 0.04, anchor: new Date('2026-08-01T23:59:59Z') });

  test('at any hour of the anchor’s day, in any order of reading', () => {
    const forwards = Array.from({ length: small.tickets }, (_, number) => small.ticket(number));
    const backwards = Array.from({ length: again.tickets }, (_, number) => again.ticket(again.tickets - 1 - number)).reverse();
    expect(backwards).toEqual(forwards);
    for (const customer of [200, 1, 57, 12]) {
      expect(again.transactionsOf(customer)).toEqual(small.transactionsOf(customer));
      expect(again.methods(customer)).toEqual(small.methods(customer));
      expect(again.paymentCustomer(customer, 'helpdesk')).toEqual(small.paymentCustomer(customer, 'helpdesk'));
    }
  });

  test('another seed or another day gives another', () => {
    const other = new DemoMerchant({ seed: 8, size: 0.04, anchor });
    const later = new DemoMerchant({ seed: 7, size: 0.04, anchor: new Date(anchor.getTime() + day) });
    expect(other.helpdeskCustomer(50)).not.toEqual(small.helpdeskCustomer(50));
    expect(other.transactionsOf(50)).not.toEqual(small.transactionsOf(50));
    expect(later.ticket(50)).not.toEqual(small.ticket(50));
    expect(later.helpdeskCustomer(50)).toEqual(small.helpdeskCustomer(50));
  });

  test.each([
    [{ seed: 1.5, size: 1, anchor }, 'seed'],
    [{ seed: 1, size: 0, anchor }, 'size'],
    [{ seed: 1, size: Number.NaN, anchor }, 'size'],
    [{ seed: 1, size: 1, anchor: new Date(Number.NaN) }, 'anchor'],
  ])('%j is refused', (options, named) => {
    expect(() => new DemoMerchant(options)).toThrow(named);
  });
});

describe('a merchant of size 1', () => {
  const merchant = new DemoMerchant({ seed: 1, size: 1, anchor });
  const customers = Array.from({ length: merchant.customers }, (_, index) => index + 1);
  const methods = new Map<number, readonly PaymentMethodRecord[]>();
  const transactions = new Map<number, readonly TransactionRecord[]>();
  const tickets: Omit<TicketSnapshot, 'asOf'>[] = [];
  /** Checks a claim of every record without a matcher's cost for each; names the first that it doesn't hold for. */
  const every = <T>(records: Iterable<T>, claim: (record: T) => boolean): void => {
    for (const record of records) if (!claim(record)) throw new Error(`does not hold for ${JSON.stringify(record)}`);
  };

  beforeAll(() => {
    for (const customer of customers) {
      methods.set(customer, merchant.methods(customer));
      transactions.set(customer, merchant.transactionsOf(customer));
    }
    for (let number = 0; number < merchant.tickets; number += 1) tickets.push(merchant.ticket(number));
  }, 60_000);

  const allMethods = () => [...methods.values()].flat();
  const allTransactions = () => [...transactions.values()].flat();

  test('has 5,000 customers, 12,000 tickets and 80,000 transactions, with about three messages a ticket', () => {
    const messages = tickets.map((each) => each.messages.length);
    expect([merchant.customers, merchant.tickets, merchant.transactions]).toEqual([5_000, 12_000, 80_000]);
    expect(allTransactions()).toHaveLength(80_000);
    const mean = messages.reduce((sum, count) => sum + count, 0) / messages.length;
    expect(mean).toBeGreaterThan(2.7);
    expect(mean).toBeLessThan(3.4);
    expect(Math.max(...messages)).toBe(12);
    expect(new Set(tickets.map((each) => each.ticket.customer?.reference ?? 'nobody')).size).toBe(5_001);
    expect(new Set(tickets.map((each) => each.ticket.channel)).size).toBe(8);
  });

  test('is skewed: some customers have 200 transactions, most have 5 to 15', () => {
    const counts = customers.map((customer) => transactionCountOf(1, customer));
    expect(counts.filter((count) => count === 200).length).toBeGreaterThan(90);
    expect(counts.filter((count) => count >= 5 && count <= 15).length).toBeGreaterThan(3_900);
    expect(counts.every((count) => count > 0)).toBe(true);
  });

  test('writes only to addresses that RFC 2606 reserves, and calls only numbers kept for fiction', () => {
    const people = customers.flatMap((customer) => [
      merchant.helpdeskCustomer(customer),
      merchant.paymentCustomer(customer, 'hd'),
    ]);
    every(people, ({ email }) => email === null || /^[a-z0-9.+]+@example\.(com|org|net)$/i.test(email));
    every(demoStaff, ({ email }) => email?.endsWith('@staff.example.com') === true);
    const fiction =
      /^(\+1 212 555 01\d\d|\+44 7700 900\d{3}|\+353 20 91\d \d{4}|\+61 2 5550 \d{4}|\+49 30 23125 \d{3}|\+33 6 39 98 \d\d \d\d|\+46 70 174 06 5\d)$/;
    every(people, ({ phone }) => phone === null || fiction.test(phone));
    every(people, ({ displayName }) => displayName !== null && displayName.length > 2 && !displayName.includes('|'));
  });

  test('holds the last four of published test cards only', () => {
    const published = new Set(testCards.map((card) => `${card.brand} ${lastFourOf(card)}`));
    every(testCards, ({ number }) => luhn(number));
    every(allMethods(), ({ brand, last4, kind }) =>
      kind === 'CARD' || kind === 'WALLET' ? published.has(`${brand} ${last4}`) : brand === null && last4 === null,
    );
    every(methods.values(), (held) => {
      const once = held.filter(({ reference }) => !reference.endsWith('_again'));
      const endings = once.filter((each) => each.last4 !== null).map((each) => each.last4);
      return new Set(endings).size === endings.length;
    });
  });

  test('no other number that passes for a card’s stands in any text', () => {
    const published = new Set(testCards.map((card) => card.number));
    let pasted = 0;
    for (const { messages, ticket } of tickets) {
      for (const text of [ticket.subject ?? '', ...messages.map((each) => each.body)]) {
        for (const found of text.match(/\d(?:[ .-]?\d){11,18}/g) ?? []) {
          const digits = found.replace(/\D/g, '');
          if (published.has(digits)) pasted += 1;
          else if (luhn(digits)) throw new Error(`a number that may be a card’s in ticket ${ticket.reference}`);
        }
        if (/\{\w+\}|undefined|\bcvc\b|\bcvv\b/i.test(text)) throw new Error(`unfinished or forbidden text: ${text}`);
      }
    }
    expect(pasted).toBeGreaterThan(300);
    expect(pasted).toBeLessThan(900);
  });

  test('methods belong together: one working default, status by the anchor, an expired card has a newer replacement', () => {
    every(methods.values(), (held) => {
      const standard = held.filter((each) => each.isDefault);
      return (
        standard.length === 1 &&
        (standard[0]?.status === 'ACTIVE' || standard[0]?.status === 'EXPIRING') &&
        held.every(
          (each) =>
            (each.status !== 'EXPIRED' || held.some((other) => other.createdAt > each.createdAt && other.isDefault)) &&
            (each.status === 'REMOVED' ||
              each.expiryYear === null ||
              each.expiryMonth === null ||
              each.status === cardStatus(each.expiryYear, each.expiryMonth, merchant.anchor)),
        )
      );
    });
    const statuses = allMethods().map((each) => each.status);
    for (const status of ['EXPIRING', 'EXPIRED', 'REMOVED']) {
      expect(statuses.filter((each) => each === status).length).toBeGreaterThan(200);
    }
  });

  test('every transaction is of a method of its customer that existed, in order, with codes of the standards', () => {
    const countries = new Set(demoCountries);
    for (const [customer, made] of transactions) {
      const held = new Map(methods.get(customer)?.map((each) => [each.reference, each]));
      let previous = begin;
      every(made, (each) => {
        const method = held.get(each.paymentMethodReference ?? '');
        const at = each.createdAt.getTime();
        const isInOrder = at >= previous && at < until;
        previous = at;
        const mustFail =
          method?.expiryYear != null && method.expiryMonth !== null && at >= Date.UTC(method.expiryYear, method.expiryMonth, 1);
        return (
          method !== undefined &&
          method.createdAt.getTime() <= at &&
          isInOrder &&
          (each.declineCode === 'expired_card') === mustFail &&
          (each.declineCode !== null) === (each.status === 'DECLINED') &&
          (each.dispute !== null) === (each.status === 'DISPUTED') &&
          Number.isSafeInteger(each.amount) &&
          each.amount > 0 &&
          demoCurrencies.includes(each.currency) &&
          (each.currency !== 'KWD' || each.amount % 10 === 0) &&
          each.country !== null &&
          countries.has(each.country) &&
          (each.riskScore === null ? each.riskBand === 'UNKNOWN' : each.riskScore >= 0 && each.riskScore <= 100)
        );
      });
    }
    const references = allTransactions().map((each) => each.reference);
    expect(new Set(references).size).toBe(references.length);
  });

  test('currencies and countries are of ISO 4217 and ISO 3166-1', () => {
    const known = new Set(Intl.supportedValuesOf('currency'));
    const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
    for (const currency of demoCurrencies) expect(known.has(currency)).toBe(true);
    for (const country of demoCountries) expect(regions.of(country)).toBeDefined();
    expect([priceIn('EUR', 4_990), priceIn('JPY', 4_990), priceIn('KWD', 4_990)]).toEqual([4_990, 8_084, 16_970]);
    expect([priceText(123_456_789, 'EUR'), priceText(8_084, 'JPY'), priceText(16_970, 'KWD')]).toEqual([
      '1,234,567.89 EUR',
      '8,084 JPY',
      '16.970 KWD',
    ]);
  });

  test('declines, retries, travelling attempts, shared devices, refunds and disputes all occur', () => {
    const all = allTransactions();
    const declined = all.filter((each) => each.status === 'DECLINED');
    expect(declined.length / all.length).toBeGreaterThan(0.1);
    expect(declined.length / all.length).toBeLessThan(0.22);
    for (const code of [
      'insufficient_funds',
      'do_not_honor',
      'expired_card',
      'incorrect_cvc',
      'fraudulent',
      'lost_card',
      'processing_error',
      'authentication_required',
    ]) {
      expect(declined.filter((each) => each.declineCode === code).length).toBeGreaterThan(30);
    }
    expect(new Set(declined.map((each) => each.declineAdvice))).toEqual(
      new Set(['try_again_later', 'do_not_try_again', 'confirm_card_data', null]),
    );
    for (const status of [
      'PENDING',
      'AUTHORIZED',
      'REQUIRES_ACTION',
      'REFUNDED',
      'PARTIALLY_REFUNDED',
      'DISPUTED',
      'CANCELLED',
    ]) {
      expect(all.filter((each) => each.status === status).length).toBeGreaterThan(50);
    }
    expect(new Set(all.map((each) => each.currency))).toEqual(new Set(demoCurrencies));

    let retries = 0;
    let journeys = 0;
    const users = new Map<string, Set<number>>();
    for (const [customer, made] of transactions) {
      made.forEach((each, position) => {
        const next = made[position + 1];
        const device = each.deviceFingerprint ?? '';
        users.set(device, (users.get(device) ?? new Set()).add(customer));
        if (next?.orderReference !== each.orderReference) return;
        if (next.createdAt.getTime() - each.createdAt.getTime() > 3_600_000) return;
        retries += 1;
        if (next.country !== each.country && next.riskBand === 'HIGH') journeys += 1;
      });
    }
    expect(retries).toBeGreaterThan(4_000);
    expect(journeys).toBeGreaterThan(300);
    expect([...users.values()].filter((each) => each.size > 3).length).toBeGreaterThan(20);
    expect(Math.max(...[...users.values()].map((each) => each.size))).toBeLessThan(30);
  });

  test('nine in ten payment customers are VERIFIED, one in fourteen MATCHED, the rest NONE, as metadata and e-mail say', () => {
    const found = { VERIFIED: 0, MATCHED: 0, TWO: 0, NOBODY: 0 };
    for (const customer of customers) {
      const here = merchant.helpdeskCustomer(customer);
      const there = merchant.paymentCustomer(customer, 'hd');
      const byEmail = here.email === null ? [] : merchant.paymentCustomersByEmail(here.email);
      if (there.helpdeskReference === `hd:${here.reference}`) found.VERIFIED += 1;
      else if (there.helpdeskReference !== null) throw new Error(`customer ${customer} names somebody else`);
      else if (byEmail.length === 1 && byEmail[0] === customer) found.MATCHED += 1;
      else if (byEmail.length === 2) found.TWO += 1;
      else found.NOBODY += 1;
    }
    expect(found.VERIFIED / 5_000).toBeCloseTo(0.9, 2);
    expect(found.MATCHED / 5_000).toBeCloseTo(0.07, 2);
    expect(found.TWO).toBeGreaterThan(20);
    expect(found.NOBODY).toBeGreaterThan(20);
    expect(Object.values(found).reduce((sum, count) => sum + count, 0)).toBe(5_000);
  });

  test('contact data is as old as the account for most, days old for some, of unknown age for some', () => {
    const age = (customer: number): string => {
      const { email, phone, emailChangedAt, phoneChangedAt, createdAt } = merchant.paymentCustomer(customer, 'hd');
      if ((email === null && emailChangedAt !== null) || (phone === null && phoneChangedAt !== null)) return 'of nothing';
      if (!emailChangedAt) return 'unknown';
      const days = (merchant.anchor.getTime() - emailChangedAt.getTime()) / day;
      return emailChangedAt.getTime() === createdAt.getTime() && days > 100
        ? 'steady'
        : days > 0 && days < 7
          ? 'recent'
          : 'other';
    };
    const ages = customers.map(age);
    const share = (wanted: string) => ages.filter((each) => each === wanted).length / customers.length;
    expect(share('of nothing') + share('other')).toBe(0);
    expect(share('steady')).toBeGreaterThan(0.83);
    expect(share('recent')).toBeGreaterThan(0.04);
    expect(share('unknown')).toBeGreaterThan(0.04);
  });

  test('one customer in twelve has a subscription, which charges the default method or names it', () => {
    const held = customers.map((customer) => merchant.subscriptions(customer));
    every(held, (subscriptions) => subscriptions.length <= 1);
    const all = held.flat();
    expect(Math.abs(all.length / customers.length - 1 / 12)).toBeLessThan(0.015);
    expect(Math.abs(all.filter(({ method }) => method === null).length / all.length - 1 / 2)).toBeLessThan(0.1);
    every(customers, (customer) => {
      const standard = methods.get(customer)?.find((each) => each.isDefault)?.reference;
      return merchant.subscriptions(customer).every(({ method }) => method === null || method === standard);
    });
  });

  test('the search by e-mail finds what a look at every customer finds', () => {
    const byEmail = new Map<string, number[]>();
    for (const customer of customers) {
      const email = merchant.paymentCustomer(customer, 'hd').email;
      if (email !== null) byEmail.set(email.toLowerCase(), [...(byEmail.get(email.toLowerCase()) ?? []), customer]);
    }
    for (const [email, expected] of byEmail)
      expect(merchant.paymentCustomersByEmail(` ${email.toUpperCase()} `)).toEqual(expected);
    for (const nobody of [
      '',
      '@',
      'x.1@example.com',
      'x.99999999@example.com',
      'x.0@example.com',
      'x.1@evil.com',
      `${'9'.repeat(5_000)}@example.com`,
    ]) {
      expect(merchant.paymentCustomersByEmail(nobody)).toEqual([]);
    }
  });

  test('ticket facts agree with each other', () => {
    const staff = new Map(demoStaff.map((each) => [each.reference, each]));
    const references = new Set<string>();
    every(tickets, ({ ticket, messages, staff: named }) => {
      references.add(ticket.reference);
      const mentioned = new Set(
        [
          ticket.assignee,
          ticket.assignedBy,
          ticket.createdByStaff,
          ...ticket.customerSetBy,
          ...messages.map((each) => (each.author.kind === 'STAFF' ? each.author.reference : null)),
        ].filter((each) => each !== null),
      );
      const assignee = ticket.assignee === null ? undefined : staff.get(ticket.assignee);
      const isDone = ticket.status === 'RESOLVED' || ticket.status === 'CLOSED';
      const times = [ticket.createdAt, ...messages.map((each) => each.createdAt), ticket.updatedAt].map((each) => each.getTime());
      return (
        named.length === mentioned.size &&
        named.every((each) => mentioned.has(each.reference) && !('teams' in each)) &&
        demoTeams.some((team) => team === ticket.team) &&
        (ticket.assignee === null ? ticket.assignedBy === null : assignee?.teams.some((team) => team === ticket.team) === true) &&
        (assignee?.active !== false || isDone) &&
        (ticket.createdByStaff === null || ticket.customerSetBy.includes(ticket.createdByStaff)) &&
        new Set(ticket.customerSetBy).size === ticket.customerSetBy.length &&
        times.every((time, position) => time >= (times[position - 1] ?? begin) && time < until) &&
        Number.isSafeInteger(ticket.revision) &&
        ticket.revision > 0 &&
        messages.length > 0
      );
    });
    expect(references.size).toBe(12_000);
  });

  test('ana has a few dozen open tickets of her own or more, most of them VERIFIED and not of her making', () => {
    const hers = tickets
      .map((each) => each.ticket)
      .filter((each) => each.assignee === 'ana' && ['NEW', 'OPEN', 'PENDING'].includes(each.status));
    const easy = hers.filter(
      (each) =>
        !each.customerSetBy.includes('ana') &&
        merchant.person(helpdeskNumberOf(each.customer?.reference ?? 'hc-3')).link === 'VERIFIED',
    );
    expect(easy.length).toBeGreaterThan(50);
    expect(hers.length).toBeLessThan(300);
  });

  test('a customer’s ticket speaks of their own order', () => {
    let spoken = 0;
    for (const { ticket } of tickets.slice(0, 2_000)) {
      const order = /A-\d+/.exec(ticket.subject ?? '')?.[0];
      if (!order || !ticket.customer) continue;
      spoken += 1;
      const own = transactions.get(helpdeskNumberOf(ticket.customer.reference)) ?? [];
      const bought = own.find((each) => each.orderReference === order);
      expect(bought && bought.createdAt <= ticket.createdAt).toBe(true);
    }
    expect(spoken).toBeGreaterThan(500);
  });
});

describe.each([1, 2, 3, 99])('the well-known tickets with seed %i', (seed) => {
  const merchant = new DemoMerchant({ seed, size: 0.02, anchor });
  const ticketOf = (known: { reference: string }) => merchant.ticket(merchant.ticketNumber(known.reference));

  test('are what they are said to be', () => {
    const own = ticketOf(demoTickets.own);
    expect(own.ticket).toMatchObject({ assignee: 'ana', status: 'OPEN', team: 'cards', createdByStaff: null, customerSetBy: [] });
    expect(own.messages).toHaveLength(10);
    expect(merchant.methods(1).map((each) => each.status)).toEqual(['EXPIRED', 'ACTIVE', 'ACTIVE']);
    expect(merchant.transactionsOf(1)).toHaveLength(20);
    expect(merchant.transactionsOf(1).filter((each) => each.status === 'DECLINED').length).toBeGreaterThan(2);
    expect(merchant.paymentCustomer(1, 'hd').helpdeskReference).toBe('hd:hc-1');

    expect(ticketOf(demoTickets.matched).ticket).toMatchObject({ assignee: 'ana', status: 'OPEN' });
    expect(merchant.paymentCustomer(2, 'hd').helpdeskReference).toBeNull();
    expect(merchant.paymentCustomersByEmail(merchant.helpdeskCustomer(2).email ?? '')).toEqual([2]);
    expect(merchant.paymentCustomersByEmail(merchant.helpdeskCustomer(3).email ?? '')).toEqual([3, 4]);

    expect(ticketOf(demoTickets.selfMade).ticket).toMatchObject({
      createdByStaff: 'ana',
      customerSetBy: ['ana'],
      assignee: 'ana',
    });
    expect(ticketOf(demoTickets.selfMade).messages.some((each) => each.author.kind === 'CUSTOMER')).toBe(false);
    expect(ticketOf(demoTickets.readdressed).ticket).toMatchObject({
      createdByStaff: null,
      customerSetBy: ['ana'],
      status: 'OPEN',
    });
    expect(ticketOf(demoTickets.closed).ticket).toMatchObject({ status: 'RESOLVED', assignee: 'ana' });
    expect(ticketOf(demoTickets.unassigned).ticket).toMatchObject({ status: 'NEW', assignee: null, team: 'cards' });
    expect(ticketOf(demoTickets.otherTeam).ticket).toMatchObject({ assignee: 'ben', team: 'wallets' });
    expect(new Set(merchant.transactionsOf(9).map((each) => each.currency))).toEqual(new Set(['KWD']));
    expect(ticketOf(demoTickets.taken).ticket).toMatchObject({ assignee: 'ana', assignedBy: 'ana' });
    expect(ticketOf(demoTickets.noCustomer).ticket).toMatchObject({ assignee: 'ana', customer: null });
    const numbers = testCards.map((card) => card.number);
    const pasted = ticketOf(demoTickets.pastedCard).messages.map((each) => each.body.replace(/[ .-]/g, ''));
    expect(pasted.some((text) => numbers.some((number) => text.includes(number)))).toBe(true);
    const burst = merchant.transactionsOf(12).slice(1, 4);
    expect(new Set(burst.map((each) => each.country)).size).toBe(3);
    expect((burst[2]?.createdAt.getTime() ?? 0) - (burst[0]?.createdAt.getTime() ?? 0)).toBeLessThan(3_600_000);
  });

  test('tell how their customers can be reached, and how old that is', () => {
    const reach = ({ customer }: { customer: number | null }) => {
      const { email, phone, emailChangedAt } = merchant.paymentCustomer(customer ?? 0, 'hd');
      const age = emailChangedAt ? (merchant.anchor.getTime() - emailChangedAt.getTime()) / day : null;
      return { canBeReached: email !== null && phone !== null, age: age === null ? 'unknown' : age < 7 ? 'days' : 'months' };
    };
    expect(reach(demoTickets.own)).toEqual({ canBeReached: true, age: 'months' });
    expect(reach(demoTickets.matched)).toEqual({ canBeReached: true, age: 'months' });
    expect(reach(demoTickets.taken).age).toBe('days');
    expect(reach(demoTickets.suspicious).age).toBe('unknown');
    const standard = merchant.methods(1).find((each) => each.isDefault)?.reference;
    expect(merchant.subscriptions(1)).toEqual([{ reference: 'sub_demo_000001', method: standard }]);
  });

  test('name their customers, who occur in no other ticket', () => {
    const cast = new Set(castTickets.map((each) => each.customer).filter((each) => each !== null));
    for (const known of Object.values(demoTickets)) {
      expect(ticketOf(known).ticket.customer?.reference ?? null).toBe(known.customer === null ? null : `hc-${known.customer}`);
    }
    for (let number = castTickets.length; number < merchant.tickets; number += 1) {
      expect(cast.has(helpdeskNumberOf(merchant.ticket(number).ticket.customer?.reference ?? ''))).toBe(false);
    }
  });
});

test('every block of a hundred customers has 1,600 transactions, with any seed', () => {
  for (const seed of [0, 1, -5, 2 ** 40]) {
    for (const block of [0, 1, 17]) {
      const counts = Array.from({ length: 100 }, (_, index) => transactionCountOf(seed, block * 100 + index + 1));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_600);
    }
  }
});

test('a card is good to the end of its printed month and expiring in its last two', () => {
  const at = new Date('2026-08-01T00:00:00Z');
  const cases = [
    [2026, 7, 'EXPIRED'],
    [2026, 8, 'EXPIRING'],
    [2026, 9, 'EXPIRING'],
    [2026, 10, 'ACTIVE'],
    [2025, 12, 'EXPIRED'],
  ] as const;
  for (const [year, month, status] of cases) expect(cardStatus(year, month, at)).toBe(status);
  expect(cardStatus(2026, 12, new Date('2026-12-31T23:59:59Z'))).toBe('EXPIRING');
  expect(cardStatus(2026, 12, new Date('2027-01-01T00:00:00Z'))).toBe('EXPIRED');
});

test('cards are typed in the groups that are printed on them', () => {
  const typed = Object.fromEntries(testCards.map((card) => [card.brand, asTyped(card, ' ')]));
  expect(typed.amex).toMatch(/^\d{4} \d{6} \d{5}$/);
  expect(typed.diners).toMatch(/^\d{4} \d{6} \d{4}$/);
  expect(typed.visa).toMatch(/^(\d{4} ){3}\d{4}$/);
  for (const card of testCards) expect(asTyped(card, '-').replace(/-/g, '')).toBe(card.number);
});

test('every phrase needs only facts that a ticket has', () => {
  const facts = Object.fromEntries(
    ['order', 'item', 'amount', 'date', 'last4', 'name', 'agent', 'card', 'answer'].map((each) => [each, 'x']),
  );
  for (const words of Object.values(phrases)) {
    expect(filled(JSON.stringify(words).replace(/[":,[\]]/g, ' '), facts)).not.toMatch(/\{\w+\}/);
  }
  expect(filled('{constructor} {order}', { order: 'A-1' })).not.toContain('native code');
});

describe('a cursor', () => {
  test('says which merchant it is of, and comes back as it was written', () => {
    const plain = { seed: 7, size: 0.04, anchor: small.anchor, seen: 5 };
    expect(readDemoCursor(writeDemoCursor(small, { seen: 5 }))).toEqual(plain);
    expect(readDemoCursor(writeDemoCursor(small, { seen: 5, next: 200, begunAt: 9 }))).toEqual({
      ...plain,
      next: 200,
      begunAt: 9,
    });
  });

  test.each([
    '',
    'demo1',
    'demo1/7/2/2026-13-45/5',
    'demo1/7/0/2026-08-01/5',
    'demo2/7/2/2026-08-01/5',
    'demo1/7/2/2026-08-01/5/1',
    '{"seen":1}',
  ])('%j is none', (text) => {
    expect(readDemoCursor(text)).toBeNull();
  });
});
