/** @jest-environment <rootDir>/test/support/own-globals.js */
import { ExposurePolicy } from '../../src/authz/policy/exposure';
import type { Verdicts } from '../../src/authz/policy/verdict';
import { raw } from '../../src/db/sql';
import { Failure } from '../../src/failure';
import * as alertPolicy from '../../src/features/alerts/alert.policy';
import { Disclosures } from '../../src/features/disclosures/disclosures.service';
import * as holdPolicy from '../../src/features/holds/hold.policy';
import * as naming from '../../src/features/signals/logged-name';
import * as messages from '../../src/features/webhooks/messages';
import { Cursors } from '../../src/graphql/cursor';
import * as errors from '../../src/graphql/errors';
import type { CanaryCustomer } from '../support/canaries';
import type { Leak } from '../support/leak-check';
import { RiskCanaries } from '../support/risk-canaries';

// The gateway's own modules as they are, with a hook on the functions that a breakage replaces.
jest.mock('../../src/features/alerts/alert.policy', () => {
  const actual = jest.requireActual<typeof alertPolicy>('../../src/features/alerts/alert.policy');
  return {
    ...actual,
    alertReach: jest.fn(actual.alertReach),
    alertIsAssisted: jest.fn(actual.alertIsAssisted),
    partIsAssisted: jest.fn(actual.partIsAssisted),
    toWhoHasSecondFactor: jest.fn(actual.toWhoHasSecondFactor),
  };
});
jest.mock('../../src/features/holds/hold.policy', () => {
  const actual = jest.requireActual<typeof holdPolicy>('../../src/features/holds/hold.policy');
  return { ...actual, mayReadHold: jest.fn(actual.mayReadHold) };
});
jest.mock('../../src/features/signals/logged-name', () => {
  const actual = jest.requireActual<typeof naming>('../../src/features/signals/logged-name');
  return { ...actual, loggedName: jest.fn(actual.loggedName) };
});
jest.mock('../../src/features/webhooks/messages', () => {
  const actual = jest.requireActual<typeof messages>('../../src/features/webhooks/messages');
  return { ...actual, messageOf: jest.fn(actual.messageOf), cloudEvent: jest.fn(actual.cloudEvent) };
});
jest.mock('../../src/graphql/errors', () => {
  const actual = jest.requireActual<typeof errors>('../../src/graphql/errors');
  return { ...actual, failureIn: jest.fn(actual.failureIn) };
});

/** A short run of what `leak-risk.test` runs in full. */
const leaksOf = async (): Promise<readonly Leak[]> => {
  const risk = await RiskCanaries.start();
  try {
    const { own, matched, sams, bens } = risk.canaries.merchant.tickets;
    await risk.listen(['ana', 'ben', 'sam']);
    await risk.report('ana', own);
    await risk.hold('ana', own);
    await risk.brake('pia');
    await risk.tell([own, matched, sams, bens].map(({ customer }) => customer as CanaryCustomer));
    await risk.heard('ana', 2);
    return await risk.ask({ users: ['ana', 'sam', 'oz'] });
  } finally {
    await risk.stop();
  }
};

const reveal = { kind: 'reveal' } as const;
const always: Verdicts = { VERIFIED: reveal, MATCHED: reveal, NONE: reveal };
/** Replaces the verdicts of fields, whatever the file says. */
const areRevealed = (...coordinates: readonly string[]) => {
  const actual = ExposurePolicy.prototype.verdictTable;
  jest.spyOn(ExposurePolicy.prototype, 'verdictTable').mockImplementation(function (this: ExposurePolicy, access) {
    return new Map([...actual.call(this, access), ...coordinates.map((coordinate) => [coordinate, always] as const)]);
  });
};
const areOpen = () => {
  jest.mocked(alertPolicy.alertIsAssisted).mockReturnValue(null);
  jest.mocked(alertPolicy.partIsAssisted).mockReturnValue(null);
};

describe('the leak test of alerts, brakes, holds and messages, with one thing switched off', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    const policy = jest.requireActual<typeof alertPolicy>('../../src/features/alerts/alert.policy');
    jest.mocked(alertPolicy.alertReach).mockImplementation(policy.alertReach);
    jest.mocked(alertPolicy.alertIsAssisted).mockImplementation(policy.alertIsAssisted);
    jest.mocked(alertPolicy.partIsAssisted).mockImplementation(policy.partIsAssisted);
    jest.mocked(alertPolicy.toWhoHasSecondFactor).mockImplementation(policy.toWhoHasSecondFactor);
    const { mayReadHold } = jest.requireActual<typeof holdPolicy>('../../src/features/holds/hold.policy');
    jest.mocked(holdPolicy.mayReadHold).mockImplementation(mayReadHold);
    const { loggedName } = jest.requireActual<typeof naming>('../../src/features/signals/logged-name');
    jest.mocked(naming.loggedName).mockImplementation(loggedName);
    const { messageOf, cloudEvent } = jest.requireActual<typeof messages>('../../src/features/webhooks/messages');
    jest.mocked(messages.messageOf).mockImplementation(messageOf);
    jest.mocked(messages.cloudEvent).mockImplementation(cloudEvent);
    const { failureIn } = jest.requireActual<typeof errors>('../../src/graphql/errors');
    jest.mocked(errors.failureIn).mockImplementation(failureIn);
  });

  it('finds nothing in this short form either, where nothing is switched off', async () => {
    expect(await leaksOf()).toEqual([]);
  });

  it('finds that everybody is told of every alert', async () => {
    jest.mocked(alertPolicy.alertReach).mockReturnValue(raw('1 = 1'));
    const what = expect.stringContaining('that there is an alert') as string;
    expect(await leaksOf()).toContainEqual(expect.objectContaining({ user: 'ana', where: 'answer', what }));
  });

  it('finds that a second factor is asked of nobody who is told of alerts', async () => {
    jest.mocked(alertPolicy.toWhoHasSecondFactor).mockReturnValue(null);
    expect(await leaksOf()).toContainEqual(expect.objectContaining({ mfa: false, where: 'answer' }));
  });

  it('finds nothing where only the rule on what an alert says is open, as no record without an assistance is accepted', async () => {
    areOpen();
    expect(await leaksOf()).toEqual([]);
  });

  it('finds that what an alert says is shown without an assistance, in answers and events, where records are accepted unseen', async () => {
    areOpen();
    jest.spyOn(Disclosures.prototype, 'record').mockResolvedValue();
    const leaks = await leaksOf();
    const what = expect.stringContaining('a place in an alert') as string;
    expect(leaks).toContainEqual(expect.objectContaining({ where: 'answer', what }));
    expect(leaks).toContainEqual(expect.objectContaining({ where: 'an event', what }));
  });

  it('finds that the verdicts on places in alerts, and on those of payments, are gone', async () => {
    areRevealed('AlertReason.countries', 'Location.country', 'Transaction.location');
    const risk = await RiskCanaries.start();
    const { matched } = risk.canaries.merchant.tickets;
    await risk.report('ana', matched);
    await risk.tell([matched.customer as CanaryCustomer]);
    const leaks = await risk.ask({ users: ['ana'] });
    await risk.stop();
    expect(leaks).toContainEqual(
      expect.objectContaining({ user: 'ana', what: expect.stringContaining('a place in an alert') as string }),
    );
  });

  it('finds that whoever operates the gateway reads why somebody was released', async () => {
    areRevealed('Brake.proposalReason', 'Brake.releaseReason');
    expect(await leaksOf()).toContainEqual(
      expect.objectContaining({ user: 'oz', what: expect.stringContaining('Reason of a brake') as string }),
    );
  });

  it('finds nothing where only the verdict on why something waits is gone, as its rule asks for an assistance', async () => {
    areRevealed('Hold.reason');
    expect(await leaksOf()).toEqual([]);
  });

  it('finds that whoever operates the gateway reads why something waits', async () => {
    areRevealed('Hold.reason');
    jest.mocked(holdPolicy.mayReadHold).mockReturnValue(null);
    jest.spyOn(Disclosures.prototype, 'record').mockResolvedValue();
    expect(await leaksOf()).toContainEqual(
      expect.objectContaining({ user: 'oz', what: expect.stringContaining('why something waits') as string }),
    );
  });

  it('finds that the log calls signals as their senders do', async () => {
    jest.mocked(naming.loggedName).mockImplementation(({ source, id }) => `${source}/${id}`);
    expect(await leaksOf()).toContainEqual(
      expect.objectContaining({ where: 'audit', what: expect.stringContaining('id of a signal') as string }),
    );
  });

  it('finds that messages to other systems say more than which alert it is', async () => {
    const { messageOf, cloudEvent } = jest.requireActual<typeof messages>('../../src/features/webhooks/messages');
    const details = new Map<string, unknown>();
    jest.mocked(messages.messageOf).mockImplementation((leaf) => {
      details.set(leaf.subject?.id ?? '', leaf.detail);
      return messageOf(leaf);
    });
    jest.mocked(messages.cloudEvent).mockImplementation((id, source, message) => {
      const event = JSON.parse(cloudEvent(id, source, message));
      return JSON.stringify({ ...event, data: { ...event.data, detail: details.get(message.subject) } });
    });
    expect(await leaksOf()).toContainEqual(expect.objectContaining({ where: 'a webhook', what: 'more than ids' }));
  });

  it('finds that a cursor can be read', async () => {
    jest
      .spyOn(Cursors.prototype, 'encode')
      .mockImplementation((actorId, _, { value, id }) => Buffer.from(JSON.stringify([actorId, value, id])).toString('base64url'));
    expect(await leaksOf()).toContainEqual(expect.objectContaining({ where: 'a cursor' }));
  });

  it('finds that an error repeats what is stored', async () => {
    const actual = jest.requireActual<typeof errors>('../../src/graphql/errors').failureIn;
    const risk = await RiskCanaries.start();
    const { own } = risk.canaries.merchant.tickets;
    await risk.tell([own.customer as CanaryCustomer]);
    const [stored] = await risk.canaries.app.app.database.query<{ id: string }>(
      'SELECT event_id AS id FROM risk_signal WHERE source = ?',
      ['shop'],
    );
    jest.mocked(errors.failureIn).mockImplementation((error) => {
      const failure = actual(error);
      return failure && new Failure('NOT_FOUND', `Not found near ${stored?.id}`);
    });
    const leaks = await risk.ask({ users: ['sam'] });
    await risk.stop();
    expect(leaks).toContainEqual(expect.objectContaining({ user: 'sam', where: 'errors and headers' }));
  });
});
