import { alertRules, guidanceFor, latestAdvice } from './alert.words';

const at = (seconds: number): Date => new Date(seconds * 1_000);
const nothing = { advice: null, isAskable: false, isDemanded: false, isInvited: false };
const retryLater = latestAdvice([{ status: 'DECLINED', declineAdvice: 'try_again_later', createdAt: at(1) }]);

describe('guidance', () => {
  it.each(alertRules)('of %s ends with the alert itself, and says nothing twice', (rule) => {
    for (const given of [nothing, { advice: retryLater, isAskable: true, isDemanded: true, isInvited: true }]) {
      const codes = guidanceFor(rule, given).map(({ code }) => code);
      expect(codes.at(-1)).toBe('RESOLVE');
      expect(new Set(codes).size).toBe(codes.length);
    }
  });

  it('offers no replacement to whoever has the link of an invitation', () => {
    const codes = (isInvited: boolean) => guidanceFor('card-expiring', { ...nothing, isInvited }).map(({ code }) => code);
    expect([codes(false), codes(true)]).toEqual([['OFFER_REPLACEMENT', 'RESOLVE'], ['RESOLVE']]);
  });

  it('goes by the latest payment that was declined', () => {
    const payments = [
      { status: 'DECLINED', declineAdvice: 'do_not_try_again', createdAt: at(2) },
      { status: 'DECLINED', declineAdvice: 'try_again_later', createdAt: at(1) },
      { status: 'CAPTURED', declineAdvice: null, createdAt: at(3) },
    ];
    expect(latestAdvice(payments)?.kind).toBe('DO_NOT_RETRY');
    expect([latestAdvice([]), latestAdvice(payments.slice(2))]).toEqual([null, null]);
    expect(latestAdvice([{ status: 'DECLINED', declineAdvice: 'constructor', createdAt: at(1) }])).toBeNull();
  });
});
