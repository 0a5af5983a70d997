/**
 * What providers and card networks call a decline, and what they advise of it. Stripe's and Adyen's, in lower case with underscores; a sender's own spelling
 * (`DoNotHonor`, `do-not-honor`) is the same code.
 */
const codes = `
3d_not_authenticated 3ds_failed 3ds_required acquirer_error acquirer_fraud amount_too_large amount_too_small approve_with_id authentication_failed
authentication_not_available authentication_required avs_declined balance_insufficient blocked blocked_card call_issuer cancelled card_declined
card_not_supported card_requires_online_pin card_velocity_exceeded confirm_card_data contract_not_found currency_not_supported cvc_declined cvv_declined
declined declined_non_generic do_not_honor do_not_try_again duplicate_transaction elevated_risk_level exceeds_limit expired_card fraud
fraud_cancelled fraudulent generic_decline hard_decline highest_risk_level incorrect_address incorrect_cvc incorrect_number incorrect_pin
incorrect_zip insufficient_funds invalid_account invalid_amount invalid_card invalid_card_number invalid_cavv invalid_cvc invalid_expiry_month
invalid_expiry_year invalid_merchant invalid_number invalid_pin invalid_transaction issuer_not_available issuer_suspected_fraud issuer_unavailable lost_card
merchant_blacklist merchant_blocklist mobile_pin_required network_error new_account_information_available no_action_taken no_checking_account_available
no_such_issuer not_enough_balance not_permitted not_submitted not_supported offline_pin_required online_or_offline_pin_required other
payment_intent_authentication_failure pending pick_up_card pickup_card pin_required pin_tries_exceeded pin_try_exceeded pin_validation_not_possible
processing_error reenter_transaction referral refused requested_block_on_incorrect_cvc requires_action restricted_card revocation_of_all_authorizations
revocation_of_auth revocation_of_authorization risk_declined rule security_violation service_not_allowed shopper_cancelled soft_decline stolen_card
stop_payment stop_payment_order suspected_fraud system_error testmode_decline timeout transaction_not_allowed transaction_not_permitted try_again_later
try_later unknown withdrawal_amount_exceeded withdrawal_count_exceeded withdrawal_count_limit_exceeded
`;

const formOf = (code: string): string => code.toLowerCase().replace(/[_-]/g, '');
const known: ReadonlySet<string> = new Set(codes.trim().split(/\s+/).map(formOf));

/** ISO 8583, field 39, and what networks and acquirers number: two characters, or up to five digits, with the list's name before them. */
const numbered = /^(?:(?:mac|rc|de39)[_-]?)?(?:[A-Z0-9]{2}|[0-9]{1,5})$/i;

/** What stands for a code that nobody knows. */
export const otherCode = 'other';

/** The code as it is kept: its sender's wording where it is a code that is known, and `other` for any other, which may be somebody's name. */
export const keptCode = (code: string): string => (numbered.test(code) || known.has(formOf(code)) ? code : otherCode);
