/** @jest-environment <rootDir>/test/support/own-globals.js */
import { readFileSync } from 'node:fs';
import { ExposurePolicy } from '../../src/authz/policy/exposure';
import { masks } from '../../src/authz/policy/mask';
import type { Verdicts } from '../../src/authz/policy/verdict';
import { raw } from '../../src/db/sql';
import { Failure } from '../../src/failure';
import * as assistancePolicy from '../../src/features/assistance/assistance.policy';
import { Disclosures } from '../../src/features/disclosures/disclosures.service';
import { PaymentsLoader } from '../../src/features/payments/payments.loader';
import * as ticketPolicy from '../../src/features/tickets/tickets.policy';
import * as errors from '../../src/graphql/errors';
import type { TestAppOptions } from '../support/app';
import { CanaryApp, type Leak } from '../support/leak-check';

// The gateway's own modules as they are, with a hook on the functions that a breakage replaces.
jest.mock('../../src/features/tickets/tickets.policy', () => {
  const actual = jest.requireActual<typeof ticketPolicy>('../../src/features/tickets/tickets.policy');
  return {
    ...actual,
    ticketScope: jest.fn(actual.ticketScope),
    ticketIsAssisted: jest.fn(actual.ticketIsAssisted),
    customerIsCovered: jest.fn(actual.customerIsCovered),
  };
});
jest.mock('../../src/features/assistance/assistance.policy', () => {
  const actual = jest.requireActual<typeof assistancePolicy>('../../src/features/assistance/assistance.policy');
  return { ...actual, beginsByItself: jest.fn(actual.beginsByItself) };
});
jest.mock('../../src/graphql/errors', () => {
  const actual = jest.requireActual<typeof errors>('../../src/graphql/errors');
  return { ...actual, failureIn: jest.fn(actual.failureIn) };
});

/** A short run of the check that `leak.test` runs in full, until it finds something. */
const firstLeak = async (options: TestAppOptions = {}): Promise<Leak | undefined> => {
  const canaries = await CanaryApp.start(options);
  try {
    const opened = await canaries.openEverything({ users: ['ana', 'ben', 'sam'], first: true });
    if (opened.length > 0) return opened[0];
    const [found] = await canaries.check({ runs: 40, seed: 7, users: ['ana', 'ben', 'sam'], first: true });
    return found;
  } finally {
    await canaries.stop();
  }
};

/** Replaces the verdicts of one field, whatever the file says. */
const verdictsAre = (coordinate: string, change: (verdicts: Verdicts | undefined) => Verdicts) => {
  const actual = ExposurePolicy.prototype.verdictTable;
  jest.spyOn(ExposurePolicy.prototype, 'verdictTable').mockImplementation(function (this: ExposurePolicy, access) {
    const table = new Map(actual.call(this, access));
    table.set(coordinate, change(table.get(coordinate)));
    return table;
  });
};

/** The rule on a relation of tickets has nothing against anything any more. */
const opens = (relation: 'messages' | 'customer') =>
  jest.mocked(relation === 'messages' ? ticketPolicy.ticketIsAssisted : ticketPolicy.customerIsCovered).mockReturnValue(null);

const reveal = { kind: 'reveal' } as const;
const always: Verdicts = { VERIFIED: reveal, MATCHED: reveal, NONE: reveal };
const policyText = readFileSync('schema/exposure.yaml', 'utf8');
/** The policy file with one entry changed by a slip of the hand. */
const slipped = (from: string, to: string): string => {
  expect(policyText).toContain(from);
  return policyText.replace(from, to);
};

describe('the leak test, with one thing switched off', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    const actual = {
      tickets: jest.requireActual<typeof ticketPolicy>('../../src/features/tickets/tickets.policy'),
      begins: jest.requireActual<typeof assistancePolicy>('../../src/features/assistance/assistance.policy').beginsByItself,
      failureIn: jest.requireActual<typeof errors>('../../src/graphql/errors').failureIn,
    };
    jest.mocked(ticketPolicy.ticketScope).mockImplementation(actual.tickets.ticketScope);
    jest.mocked(ticketPolicy.ticketIsAssisted).mockImplementation(actual.tickets.ticketIsAssisted);
    jest.mocked(ticketPolicy.customerIsCovered).mockImplementation(actual.tickets.customerIsCovered);
    jest.mocked(assistancePolicy.beginsByItself).mockImplementation(actual.begins);
    jest.mocked(errors.failureIn).mockImplementation(actual.failureIn);
  });

  it('finds nothing in this short form either, where nothing is switched off', async () => {
    expect(await firstLeak()).toBeUndefined();
  });

  it.each(['Address.line1', 'Risk.score', 'PaymentMethod.token', 'Customer.phone'])(
    'finds that the verdict on %s is gone',
    async (coordinate) => {
      verdictsAre(coordinate, () => always);
      expect(await firstLeak()).toMatchObject({ where: 'answer' });
    },
  );

  it('finds that a verdict no longer depends on the link', async () => {
    verdictsAre('PaymentMethod.last4', (verdicts) => (verdicts ? { ...verdicts, MATCHED: verdicts.VERIFIED } : always));
    expect(await firstLeak()).toMatchObject({ user: 'ana', what: expect.stringContaining('last four') as string });
  });

  it('finds a slip in the policy file', async () => {
    const policy = slipped(
      'phone: { AGENT: "mask:phone", SUPERVISOR: "mask:phone"',
      'phone: { AGENT: reveal, SUPERVISOR: reveal',
    );
    expect(await firstLeak({ policy })).toMatchObject({ what: expect.stringContaining('phone') as string });
  });

  it('finds that the second factor is no longer asked for', async () => {
    expect(await firstLeak({ config: { mfaRequired: false } })).toMatchObject({ mfa: false, where: 'answer' });
  });

  it('finds that a mask shows what it should hide', async () => {
    jest.spyOn(masks.email, 'apply').mockImplementation((value) => String(value));
    expect(await firstLeak()).toMatchObject({ what: expect.stringContaining('email') as string });
  });

  it('finds that the scope lets everybody see every ticket', async () => {
    jest.mocked(ticketPolicy.ticketScope).mockReturnValue(raw('1 = 1'));
    expect(await firstLeak()).toMatchObject({ where: 'answer' });
  });

  it('finds that an assistance begins on a ticket of one’s own making', async () => {
    jest.mocked(assistancePolicy.beginsByItself).mockReturnValue(assistancePolicy.hasCustomer);
    expect(await firstLeak()).toMatchObject({ where: 'assistance' });
  });

  it('finds that a request needs nobody’s approval any more', async () => {
    const policy = slipped('approvalFor: [AGENT]', 'approvalFor: []');
    const canaries = await CanaryApp.start({ policy });
    const leaks = await canaries.check({ runs: 150, seed: 3, users: ['ana', 'ben'], first: true });
    await canaries.stop();
    expect(leaks[0]).toMatchObject({ where: 'assistance', what: expect.stringContaining('nobody approved') as string });
  });

  describe('and a fault of the database whose words hold values', () => {
    /** As drivers do: the message repeats the row. */
    const faulty = (canary: string) =>
      jest
        .spyOn(PaymentsLoader.prototype, 'methodsOf')
        .mockRejectedValue(new Error(`Duplicate entry '${canary}'\n    at ${canary}`));

    it('finds nothing in production, where the fault is told to nobody', async () => {
      faulty('kq7z0100');
      expect(await firstLeak({ config: { production: true } })).toBeUndefined();
    });

    it('finds that messages of faults are passed on', async () => {
      faulty('kq7z0100');
      const actual = jest.requireActual<typeof errors>('../../src/graphql/errors').failureIn;
      jest
        .mocked(errors.failureIn)
        .mockImplementation((error) => actual(error) ?? new Failure('CONFLICT', String((error as Error | null)?.message)));
      expect(await firstLeak()).toMatchObject({ where: 'answer' });
    });
  });

  // Two lines of defence: what isn't covered by an assistance has no record that could be written.
  it.each(['customer', 'messages'] as const)(
    'finds nothing where only the rule on the %s of a ticket is open, as no record without an assistance is accepted',
    async (relation) => {
      opens(relation);
      expect(await firstLeak()).toBeUndefined();
    },
  );

  it.each(['customer', 'messages'] as const)(
    'finds that the rule on the %s of a ticket is open and records are accepted unseen',
    async (relation) => {
      opens(relation);
      jest.spyOn(Disclosures.prototype, 'record').mockResolvedValue();
      expect(await firstLeak()).toMatchObject({ where: 'answer' });
    },
  );
});
