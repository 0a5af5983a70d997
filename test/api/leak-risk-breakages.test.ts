/** @jest-environment <rootDir>/test/support/own-globals.js */
import { ExposurePolicy } from '../../src/authz/policy/exposure';
import type { Verdicts } from '../../src/authz/policy/verdict';
import { raw } from '../../src/db/sql';
import { Failure } from '../../src/failure';
import * as alertPolicy from '../../src/features/alerts/alert.policy';
import * as stating from '../../src/features/claims/stating';
import { Confirmations } from '../../src/features/credentials/confirm/confirmations.service';
import * as updateMessages from '../../src/features/credentials/deliver/messages';
import { Disclosures } from '../../src/features/disclosures/disclosures.service';
import * as holdPolicy from '../../src/features/holds/hold.policy';
import { CustomerSeal } from '../../src/features/keys/customer-seal';
import { Keys } from '../../src/features/keys/keys.service';
import * as questionMessages from '../../src/features/recognitions/messages';
import { BrowserSessions } from '../../src/features/sign-in/browser-sessions.service';
import * as naming from '../../src/features/signals/logged-name';
import * as messages from '../../src/features/webhooks/messages';
import { Cursors } from '../../src/graphql/cursor';
import * as errors from '../../src/graphql/errors';
import * as logging from '../../src/log';
import type { CanaryCustomer } from '../support/canaries';
import { DoorCanaries, type Secret } from '../support/door-canaries';
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
jest.mock('../../src/features/claims/stating', () => {
  const actual = jest.requireActual<typeof stating>('../../src/features/claims/stating');
  return { ...actual, newClaim: jest.fn(actual.newClaim) };
});
jest.mock('../../src/features/credentials/deliver/messages', () => {
  const actual = jest.requireActual<typeof updateMessages>('../../src/features/credentials/deliver/messages');
  return { ...actual, updateLinkMail: jest.fn(actual.updateLinkMail) };
});
jest.mock('../../src/features/recognitions/messages', () => {
  const actual = jest.requireActual<typeof questionMessages>('../../src/features/recognitions/messages');
  return { ...actual, questionMail: jest.fn(actual.questionMail), requestNote: jest.fn(actual.requestNote) };
});
jest.mock('../../src/log', () => {
  const actual = jest.requireActual<typeof logging>('../../src/log');
  return { ...actual, reportFault: jest.fn(actual.reportFault) };
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

describe('the leak test of questions, claims, invitations, step-ups and browser sessions, with one thing switched off', () => {
  let doors: DoorCanaries;
  beforeAll(async () => {
    doors = await DoorCanaries.start();
  });
  afterAll(() => doors.stop());
  afterEach(() => {
    jest.restoreAllMocks();
    const { newClaim } = jest.requireActual<typeof stating>('../../src/features/claims/stating');
    jest.mocked(stating.newClaim).mockImplementation(newClaim);
    const { updateLinkMail } = jest.requireActual<typeof updateMessages>('../../src/features/credentials/deliver/messages');
    jest.mocked(updateMessages.updateLinkMail).mockImplementation(updateLinkMail);
    const { questionMail, requestNote } = jest.requireActual<typeof questionMessages>('../../src/features/recognitions/messages');
    jest.mocked(questionMessages.questionMail).mockImplementation(questionMail);
    jest.mocked(questionMessages.requestNote).mockImplementation(requestNote);
    const { cloudEvent } = jest.requireActual<typeof messages>('../../src/features/webhooks/messages');
    jest.mocked(messages.cloudEvent).mockImplementation(cloudEvent);
    const { failureIn } = jest.requireActual<typeof errors>('../../src/graphql/errors');
    jest.mocked(errors.failureIn).mockImplementation(failureIn);
    const { reportFault } = jest.requireActual<typeof logging>('../../src/log');
    jest.mocked(logging.reportFault).mockImplementation(reportFault);
  });

  const found = async (secrets: Promise<readonly Secret[]>) => doors.leaks(await secrets);
  /** Digests of this domain are what they are made of, or a part of it. */
  const areInClear = (domain: string, part = (text: string) => text) => {
    const actual = Keys.prototype.searchDigest;
    jest.spyOn(Keys.prototype, 'searchDigest').mockImplementation(function (this: Keys, of, text) {
      return text !== null && of.startsWith(domain) ? part(text) : actual.call(this, of, text);
    });
  };

  it('finds nothing where nothing is switched off', async () => {
    expect(await found(doors.recognition())).toEqual([]);
    expect(await found(doors.recordedClaim())).toEqual([]);
    expect(await found(doors.claimInMessage())).toEqual([]);
    expect(await found(doors.invitation())).toEqual([]);
    expect(await found(doors.stepUp())).toEqual([]);
    expect(await found(doors.browserSession())).toEqual([]);
    expect(await found(doors.frameSession())).toEqual([]);
  });

  it('finds that mail and note of a question say which payment it is about', async () => {
    const { questionMail, requestNote } = jest.requireActual<typeof questionMessages>('../../src/features/recognitions/messages');
    jest.mocked(questionMessages.questionMail).mockImplementation((about) => {
      const mail = questionMail(about);
      return { ...mail, text: `${mail.text} It is about ${doors.latest('order of a question')}.` };
    });
    jest
      .mocked(questionMessages.requestNote)
      .mockImplementation((row) => `${requestNote(row)} ${doors.latest('amount of a question')}`);
    const leaks = await found(doors.recognition());
    expect(leaks).toEqual(expect.arrayContaining(['order of a question in mail', 'amount of a question in note']));
  });

  it('finds that links to questions are stored as they were sent', async () => {
    areInClear('credential-link');
    const leaks = await found(doors.recognition());
    const places = ['recognition_link.token_digest', 'audit_event.leaf'].map((place) => `link of a question in ${place}`);
    expect(leaks).toEqual(expect.arrayContaining(places));
  });

  it('finds that the log says what a customer was shown', async () => {
    jest.spyOn(CustomerSeal.prototype, 'digest').mockImplementation((text) => text.slice(text.indexOf('"order"')).slice(0, 80));
    const leaks = await found(doors.recognition());
    const places = ['recognition.shown_digest', 'audit_event.leaf'].map((place) => `order of a question in ${place}`);
    expect(leaks).toEqual(expect.arrayContaining(places));
  });

  it('finds that a claim can be read in the digest of its request, and in its event', async () => {
    areInClear('claim-input', (text) => text.slice(-60));
    const leaks = await found(doors.recordedClaim());
    const places = ['ticket_claim.request_digest', 'audit_event.leaf'].map((place) => `order of a claim in ${place}`);
    expect(leaks).toEqual(expect.arrayContaining(places));
  });

  it('finds that a claim of a message is kept with what it says', async () => {
    const { newClaim } = jest.requireActual<typeof stating>('../../src/features/claims/stating');
    jest.mocked(stating.newClaim).mockImplementation((change, given) => {
      const row = newClaim(change, given);
      return { ...row, traits: [...row.traits, String(given.claim.order) as never] };
    });
    const leaks = await found(doors.claimInMessage());
    const places = ['ticket_claim.traits', 'audit_event.leaf'].map((place) => `order of a message in ${place}`);
    expect(leaks).toEqual(expect.arrayContaining(places));
  });

  it('finds that an error repeats what was claimed', async () => {
    const actual = jest.requireActual<typeof errors>('../../src/graphql/errors').failureIn;
    jest.mocked(errors.failureIn).mockImplementation((error) => {
      const failure = actual(error);
      return failure && new Failure('INVALID', `Not ${doors.latest('a day that is none')}`);
    });
    expect(await found(doors.recordedClaim())).toContain('a day that is none in answer');
  });

  it('finds that an invitation says which card it is about, and who works with the customer', async () => {
    const { updateLinkMail } = jest.requireActual<typeof updateMessages>('../../src/features/credentials/deliver/messages');
    jest.mocked(updateMessages.updateLinkMail).mockImplementation((about) => {
      const mail = updateLinkMail(about);
      return { ...mail, text: `${mail.text} ${doors.latest('card of whoever is invited')}` };
    });
    const view = Confirmations.prototype.view;
    jest.spyOn(Confirmations.prototype, 'view').mockImplementation(async function (this: Confirmations, token) {
      const shown = await view.call(this, token);
      const ticket = doors.latest('ticket of whoever is invited');
      return shown && { ...shown, before: `${shown.before} ${ticket} ${doors.latest('name of staff')}` };
    });
    const leaks = await found(doors.invitation());
    expect(leaks).toEqual(
      expect.arrayContaining([
        'card of whoever is invited in invitation mail',
        'ticket of whoever is invited in invitation page',
        'name of staff in invitation page',
      ]),
    );
  });

  it('finds that references of step-ups are stored as they were named', async () => {
    areInClear('step-up:');
    const leaks = await found(doors.stepUp());
    expect(leaks).toEqual(
      expect.arrayContaining([
        'a step-up in step_up_demand.proof_digest',
        'a step-up in audit_event.leaf',
        'a step-up that failed in audit_event.leaf',
      ]),
    );
  });

  it('finds that cookies of sessions are stored as browsers have them', async () => {
    areInClear('browser-session');
    expect(await found(doors.browserSession())).toContain('cookie of a session in browser_session.cookie_digest');
  });

  it('finds that cookies of frames are stored as browsers have them', async () => {
    areInClear('frame-session');
    expect(await found(doors.frameSession())).toContain('cookie of a frame in frame_session.cookie_digest');
  });

  it('finds that tokens of sessions are stored in clear', async () => {
    jest
      .spyOn(BrowserSessions.prototype as unknown as { seal: (id: string, cookie: string, given: object) => Buffer }, 'seal')
      .mockImplementation((_id, _cookie, given) => Buffer.from(JSON.stringify(given)));
    const leaks = await found(doors.browserSession());
    // The ID token is looked at and not kept.
    const places = ['access token', 'refresh token'].map((what) => `${what} in browser_session.tokens_sealed`);
    expect(leaks).toEqual(expect.arrayContaining(places));
  });

  it('finds that whoever is refused is counted by their cookie, and what a provider said is on record', async () => {
    const actual = jest.requireActual<typeof errors>('../../src/graphql/errors').failureIn;
    jest.mocked(errors.failureIn).mockImplementation((error) => {
      const failure = actual(error);
      const isUnknown = failure?.details.rule === 'session.none';
      return isUnknown ? new Failure('UNAUTHENTICATED', 'No.', { rule: doors.latest('cookie that is none') }) : failure;
    });
    const { signIn } = doors.test.app;
    if (signIn === null) throw new Error('nobody can sign in');
    const { refused } = signIn;
    jest.spyOn(signIn, 'refused').mockImplementation((why) => refused(`${why}: ${doors.latest('error of a provider')}`));
    const leaks = await found(doors.browserSession());
    expect(leaks).toEqual(expect.arrayContaining(['cookie that is none in /metrics', 'error of a provider in audit_event.leaf']));
  });

  it('finds that what went wrong is logged with the cookie that it went wrong with', async () => {
    jest.spyOn(BrowserSessions.prototype, 'arriveBy').mockImplementation(async (cookie) => {
      throw new Error(`there is no ${cookie}`);
    });
    jest.mocked(logging.reportFault).mockImplementation((log, requestId, error) => {
      log.error({ requestId, error: String(error) }, 'a request failed');
    });
    expect(await found(doors.browserSession())).toContain('cookie of a session in log');
  });

  // The last one: what was sent stays sent.
  it('finds that messages to other systems say what the customer was asked about', async () => {
    const { cloudEvent } = jest.requireActual<typeof messages>('../../src/features/webhooks/messages');
    jest.mocked(messages.cloudEvent).mockImplementation((id, source, message) => {
      const event = JSON.parse(cloudEvent(id, source, message));
      return JSON.stringify({ ...event, data: { ...event.data, order: doors.latest('order of a question') } });
    });
    const leaks = await found(doors.recognition());
    expect(leaks).toEqual(expect.arrayContaining(['order of a question in webhook', 'more than ids in webhook']));
  });
});
