/**
 * Why a payment was declined, for somebody who speaks to the customer: codes as card networks and Stripe write them
 * (https://docs.stripe.com/declines/codes), each with what it means. What isn't here may accuse the customer, or tell whoever holds
 * their card how it was found out: it reads as any decline.
 */
const meanings: Readonly<Record<string, string>> = {
  approve_with_id: 'The bank wants to approve this payment itself. The customer should ask their bank to let it through.',
  authentication_required:
    'The bank wants the customer to confirm the payment. They should pay again and follow their bank’s steps.',
  call_issuer: 'The bank wants to hear from the customer. They should call it, at the number on their card.',
  card_declined: 'The bank declined the payment and gave no reason. The customer can ask their bank, or pay in another way.',
  card_not_supported:
    'This card can’t be used for a payment of this kind. The customer can ask their bank, or pay in another way.',
  card_velocity_exceeded: 'The customer has reached a limit of their card. They can ask their bank, or pay in another way.',
  currency_not_supported: 'This card can’t pay in this currency. The customer should pay in another way.',
  debit_not_authorized:
    'The customer’s bank says that this debit wasn’t agreed to. The customer can ask their bank, or pay in another way.',
  do_not_honor: 'The bank declined the payment and gave no reason. The customer can ask their bank, or pay in another way.',
  do_not_try_again: 'The bank declined the payment and gave no reason. The customer can ask their bank, or pay in another way.',
  duplicate_transaction: 'A payment of the same amount was made just before. Look whether that one has succeeded.',
  expired_card: 'The card has expired. The customer should use another, or enter the new one.',
  generic_decline: 'The bank declined the payment and gave no reason. The customer can ask their bank, or pay in another way.',
  incorrect_address: 'The billing address isn’t the one that the bank has. The customer should correct it and pay again.',
  incorrect_cvc: 'The security code was wrong. The customer should enter it again.',
  incorrect_number: 'The card’s number was wrong. The customer should enter it again.',
  incorrect_pin: 'The PIN was wrong. The customer should enter it again.',
  incorrect_zip: 'The postal code isn’t the one that the bank has. The customer should correct it and pay again.',
  insufficient_funds: 'There wasn’t enough money, or limit, for this payment. The customer can pay in another way.',
  invalid_account: 'The card, or the account behind it, can’t be used. The customer should ask their bank.',
  invalid_amount: 'The bank doesn’t allow a payment of this amount. The customer should ask their bank.',
  invalid_cvc: 'The security code was wrong. The customer should enter it again.',
  invalid_expiry_month: 'The expiry date was wrong. The customer should enter it again.',
  invalid_expiry_year: 'The expiry date was wrong. The customer should enter it again.',
  invalid_number: 'The card’s number was wrong. The customer should enter it again.',
  invalid_pin: 'The PIN was wrong. The customer should enter it again.',
  issuer_not_available: 'The bank couldn’t be reached. The customer can pay again.',
  new_account_information_available: 'The card’s details have changed. The customer should enter them again.',
  offline_pin_required: 'The card wants a PIN. The customer should pay with it.',
  online_or_offline_pin_required: 'The card wants a PIN. The customer should pay with it.',
  payment_intent_authentication_failure:
    'The customer didn’t confirm the payment at their bank. They should pay again and follow its steps.',
  payment_intent_payment_attempt_failed: 'The payment didn’t go through. The customer can pay again, or in another way.',
  payment_method_customer_decline: 'The customer didn’t agree to the payment in their wallet or bank. They can pay again.',
  payment_method_provider_decline: 'The customer’s wallet or bank declined the payment. They can ask it, or pay in another way.',
  pin_try_exceeded: 'The PIN was wrong too often. The customer should use another card or pay in another way.',
  processing_error: 'Something failed on the way to the bank. The customer can pay again.',
  reenter_transaction: 'Something failed on the way to the bank. The customer can pay again.',
  testmode_decline: 'A test card was used, which can’t pay.',
  try_again_later: 'The bank couldn’t decide about the payment. The customer can pay again.',
  withdrawal_count_limit_exceeded:
    'The customer has reached a limit of their card. They can ask their bank, or pay in another way.',
};

/** What an advice comes to for whoever speaks to the customer. */
export type AdviceKind = 'CHECK_CARD_DATA' | 'DO_NOT_RETRY' | 'RETRY_LATER';

export interface Advice {
  readonly kind: AdviceKind;
  readonly says: string;
}

const checkCard: Advice = { kind: 'CHECK_CARD_DATA', says: 'The card’s details should be looked at before the next try.' };
const never: Advice = { kind: 'DO_NOT_RETRY', says: 'Another try with the same card won’t succeed.' };
const later: Advice = { kind: 'RETRY_LATER', says: 'Another try, later, may succeed.' };
const after = (time: string): Advice => ({ kind: 'RETRY_LATER', says: `Another try may succeed after ${time}.` });

/** What providers and networks advise: Stripe’s words, and Mastercard’s merchant advice codes as Stripe passes them on. */
const advices: Readonly<Record<string, Advice>> = {
  confirm_card_data: checkCard,
  do_not_try_again: never,
  try_again_later: later,
  network_advice_01: checkCard,
  network_advice_02: later,
  network_advice_03: never,
  network_advice_21: never,
  network_advice_24: after('an hour'),
  network_advice_25: after('a day'),
  network_advice_26: after('two days'),
  network_advice_27: after('four days'),
  network_advice_28: after('six days'),
  network_advice_29: after('eight days'),
  network_advice_30: after('ten days'),
};

/** What a decline's advice comes to; null for none, and for one that isn't known. */
export const adviceOf = (advice: string | null): Advice | null =>
  advice !== null && Object.hasOwn(advices, advice) ? (advices[advice] as Advice) : null;

/** The code that says nothing but that it was declined. */
const neutral = 'generic_decline';

/** The code where it accuses nobody, otherwise the one that says nothing. */
export const plainDecline = (code: string): string => (Object.hasOwn(meanings, code) ? code : neutral);

/** A decline in words for whoever speaks to the customer; null where there was none. Says the same of every code that isn't plain. */
export const explainDecline = (code: string | null, advice: string | null): string | null => {
  if (code === null && advice === null) return null;
  const meaning = meanings[plainDecline(code ?? neutral)] as string;
  const advised = adviceOf(advice);
  return advised === null ? meaning : `${meaning} ${advised.says}`;
};
