/** As `declines.ts` of the gateway has them in English: what isn't here reads as any decline. */
const ask = 'Die Bank hat die Zahlung ohne Angabe von Gründen abgelehnt. Der Kunde kann sie fragen oder anders zahlen.';
const again = 'Unterwegs zur Bank ist etwas schiefgegangen. Der Kunde kann es noch einmal versuchen.';
const limit = 'Der Kunde hat ein Limit der Karte erreicht. Er kann die Bank fragen oder anders zahlen.';
const securityCode = 'Die Prüfziffer war falsch. Der Kunde sollte sie neu eingeben.';
const expiry = 'Das Ablaufdatum war falsch. Der Kunde sollte es neu eingeben.';
const number = 'Die Kartennummer war falsch. Der Kunde sollte sie neu eingeben.';
const pin = 'Die PIN war falsch. Der Kunde sollte sie neu eingeben.';
const needsPin = 'Die Karte verlangt eine PIN. Der Kunde sollte mit ihr zahlen.';
const kind = 'Mit dieser Karte lässt sich so eine Zahlung nicht machen. Der Kunde kann die Bank fragen oder anders zahlen.';

const meanings: Readonly<Record<string, string>> = {
  approve_with_id: 'Die Bank will diese Zahlung selbst freigeben. Der Kunde sollte sie darum bitten.',
  authentication_required:
    'Die Bank will, dass der Kunde die Zahlung bestätigt. Er sollte noch einmal zahlen und ihren Schritten folgen.',
  call_issuer: 'Die Bank will mit dem Kunden sprechen. Er sollte die Nummer auf der Karte anrufen.',
  card_declined: ask,
  card_not_supported: kind,
  card_velocity_exceeded: limit,
  currency_not_supported: 'Diese Karte kann in dieser Währung nicht zahlen. Der Kunde sollte anders zahlen.',
  debit_not_authorized:
    'Die Bank sagt, dieser Lastschrift wurde nicht zugestimmt. Der Kunde kann die Bank fragen oder anders zahlen.',
  do_not_honor: ask,
  do_not_try_again: ask,
  duplicate_transaction: 'Kurz zuvor gab es eine Zahlung über denselben Betrag. Sehen Sie nach, ob sie gelungen ist.',
  expired_card: 'Die Karte ist abgelaufen. Der Kunde sollte eine andere nehmen oder die neue eingeben.',
  generic_decline: ask,
  incorrect_address:
    'Die Rechnungsadresse ist nicht die, die die Bank hat. Der Kunde sollte sie berichtigen und noch einmal zahlen.',
  incorrect_cvc: securityCode,
  incorrect_number: number,
  incorrect_pin: pin,
  incorrect_zip: 'Die Postleitzahl ist nicht die, die die Bank hat. Der Kunde sollte sie berichtigen und noch einmal zahlen.',
  insufficient_funds: 'Für diese Zahlung reichte das Guthaben oder Limit nicht. Der Kunde kann anders zahlen.',
  invalid_account: 'Die Karte oder das Konto dahinter ist nicht nutzbar. Der Kunde sollte die Bank fragen.',
  invalid_amount: 'Die Bank erlaubt eine Zahlung über diesen Betrag nicht. Der Kunde sollte sie fragen.',
  invalid_cvc: securityCode,
  invalid_expiry_month: expiry,
  invalid_expiry_year: expiry,
  invalid_number: number,
  invalid_pin: pin,
  issuer_not_available: 'Die Bank war nicht erreichbar. Der Kunde kann noch einmal zahlen.',
  new_account_information_available: 'Die Kartendaten haben sich geändert. Der Kunde sollte sie neu eingeben.',
  offline_pin_required: needsPin,
  online_or_offline_pin_required: needsPin,
  payment_intent_authentication_failure:
    'Der Kunde hat die Zahlung bei der Bank nicht bestätigt. Er sollte noch einmal zahlen und ihren Schritten folgen.',
  payment_intent_payment_attempt_failed: 'Die Zahlung ging nicht durch. Der Kunde kann noch einmal oder anders zahlen.',
  payment_method_customer_decline:
    'Der Kunde hat der Zahlung in der Wallet oder bei der Bank nicht zugestimmt. Er kann noch einmal zahlen.',
  payment_method_provider_decline:
    'Die Wallet oder Bank hat die Zahlung abgelehnt. Der Kunde kann dort fragen oder anders zahlen.',
  pin_try_exceeded: 'Die PIN war zu oft falsch. Der Kunde sollte eine andere Karte nehmen oder anders zahlen.',
  processing_error: again,
  reenter_transaction: again,
  testmode_decline: 'Das war eine Testkarte. Mit ihr lässt sich nicht zahlen.',
  try_again_later: 'Die Bank konnte über die Zahlung nicht entscheiden. Der Kunde kann noch einmal zahlen.',
  withdrawal_count_limit_exceeded: limit,
};

const check = 'Vor dem nächsten Versuch sollten die Kartendaten geprüft werden.';
const never = 'Ein weiterer Versuch mit derselben Karte wird nicht gelingen.';
const later = 'Ein späterer Versuch kann gelingen.';
const after = (time: string) => `Nach ${time} kann ein weiterer Versuch gelingen.`;

const advices: Readonly<Record<string, string>> = {
  confirm_card_data: check,
  do_not_try_again: never,
  try_again_later: later,
  network_advice_01: check,
  network_advice_02: later,
  network_advice_03: never,
  network_advice_21: never,
  network_advice_24: after('einer Stunde'),
  network_advice_25: after('einem Tag'),
  network_advice_26: after('zwei Tagen'),
  network_advice_27: after('vier Tagen'),
  network_advice_28: after('sechs Tagen'),
  network_advice_29: after('acht Tagen'),
  network_advice_30: after('zehn Tagen'),
};

const of = (texts: Readonly<Record<string, string>>, code: string | null): string | undefined =>
  code !== null && Object.hasOwn(texts, code) ? texts[code] : undefined;

/** A decline in German, by its code and the advice that came with it. */
export default ({ code, advice }: { readonly code: string; readonly advice: string | null }) =>
  [of(meanings, code) ?? ask, of(advices, advice)].filter(Boolean).join(' ');
