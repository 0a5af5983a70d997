import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import type { PayerRow } from '../../payments/payments.rows';
import { blockOf, type OfferFacts } from './blocks';

const payer = { emailDigest: 'digest', emailSealed: Buffer.from('sealed'), phoneDigest: 'digest' } as PayerRow;
const card: OfferFacts = {
  method: { kind: 'CARD', isDefault: false, isRemoved: false },
  link: 'VERIFIED',
  payer,
  isOwnContact: false,
  requestedToday: 4,
  takesUpdates: true,
  isUnderWay: false,
};
const policy = {
  kinds: {
    REPLACE_CARD: { strength: 'link' },
    BILLING_ADDRESS: { strength: 'link' },
    SET_DEFAULT: { strength: 'link' },
    REMOVE: { strength: 'code' },
  },
  quota: { perCustomerPerDay: 5 },
  highRisk: { strength: 'code', contactWindowDays: 14, rules: [] },
} as unknown as UpdatePolicy;
const bySms = { sms: true };
const usual = card.method;

describe('why an update can’t be asked for', () => {
  it.each<[string, Partial<OfferFacts>, { readonly sms: boolean }, string, string, string, string]>([
    // Of a new card, a billing address, the default and the removal.
    ['nothing', {}, bySms, 'yes', 'yes', 'yes', 'yes'],
    ['it is the default', { method: { ...usual, isDefault: true } }, bySms, 'yes', 'yes', 'ALREADY_DEFAULT', 'yes'],
    ['it is a wallet', { method: { ...usual, kind: 'WALLET' } }, bySms, 'NOT_A_CARD', 'IN_WALLET', 'yes', 'yes'],
    ['it is gone', { method: { ...usual, isRemoved: true } }, bySms, 'REMOVED', 'REMOVED', 'REMOVED', 'REMOVED'],
    ['its source is read only', { takesUpdates: false }, bySms, 'READ_ONLY', 'READ_ONLY', 'READ_ONLY', 'READ_ONLY'],
    ['another is under way', { isUnderWay: true }, bySms, 'UNDER_WAY', 'UNDER_WAY', 'UNDER_WAY', 'UNDER_WAY'],
    ['the day’s are asked for', { requestedToday: 5 }, bySms, 'QUOTA', 'QUOTA', 'QUOTA', 'QUOTA'],
    ['the link would reach the asker', { isOwnContact: true }, bySms, 'OWN_CONTACT', 'OWN_CONTACT', 'OWN_CONTACT', 'OWN_CONTACT'],
    ['there is no payment customer', { payer: null }, bySms, 'LINK', 'LINK', 'LINK', 'LINK'],
    ['there is no link', { link: 'NONE' }, bySms, 'LINK', 'LINK', 'LINK', 'LINK'],
    ['the link is a guess, and no code can be sent', { link: 'MATCHED' }, { sms: false }, 'LINK', 'LINK', 'LINK', 'LINK'],
    [
      'the link is a guess, and no number is held',
      { link: 'MATCHED', payer: { ...payer, phoneDigest: null } },
      bySms,
      'NO_PHONE',
      'NO_PHONE',
      'NO_PHONE',
      'NO_PHONE',
    ],
    ['no number is held', { payer: { ...payer, phoneDigest: null } }, bySms, 'yes', 'yes', 'yes', 'NO_PHONE'],
    ['no address is held', { payer: { ...payer, emailDigest: null } }, bySms, 'NO_MAIL', 'NO_MAIL', 'NO_MAIL', 'NO_MAIL'],
    // The first reason is told, and the others aren't.
    [
      'much',
      { isOwnContact: true, isUnderWay: true, takesUpdates: false },
      bySms,
      ...(['OWN_CONTACT', 'OWN_CONTACT', 'OWN_CONTACT', 'OWN_CONTACT'] as const),
    ],
  ])('%s', (_, over, channels, ...expected) => {
    const kinds = ['REPLACE_CARD', 'BILLING_ADDRESS', 'SET_DEFAULT', 'REMOVE'] as const;
    expect(kinds.map((kind) => blockOf(kind, { ...card, ...over }, policy, channels) ?? 'yes')).toEqual(expected);
  });

  it('a kind that the policy doesn’t name is not offered, whatever else holds', () => {
    const { SET_DEFAULT: _, ...kinds } = policy.kinds;
    expect(blockOf('SET_DEFAULT', { ...card, payer: null }, { ...policy, kinds }, bySms)).toBe('NOT_OFFERED');
  });
});
