import { useState } from 'react';
import { type HoldEffectKind, PlaceTicketHold, RecordClaim, ReportConcern } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { useLanguage } from '../../text/language';
import { formTexts } from './form-texts';
import { ActForm, Field, ReasonField, useAttempt, useReasonText } from './forms';
import { isPending } from './pending';
import { type Payment, useDraft, useShown } from './shown';

/** An amount as it is typed, in minor units of its currency; null for what is none. One separator, of either kind, before the last digits. */
export const minorUnitsIn = (typed: string, currency: string): number | null => {
  if (!/^[A-Z]{3}$/.test(currency)) return null;
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  const match = /^(\d{1,12})(?:[.,](\d{1,4}))?$/.exec(typed.replace(/[\s’']/g, ''));
  const [, whole, part = ''] = match ?? [];
  if (whole === undefined || part.length > digits) return null;
  const units = Number(whole + part.padEnd(digits, '0'));
  return Number.isSafeInteger(units) && units > 0 ? units : null;
};

interface Form {
  readonly payments: readonly Payment[];
  /** Called once it is done. */
  readonly done: () => void;
}

/** What the customer states of one payment, kind by kind: what is left empty they didn't say. */
const Claiming = ({ payments, done }: Form) => {
  const t = useText(formTexts);
  const language = useLanguage();
  const { ticketId, announce, refresh } = useShown();
  const act = useAct(RecordClaim);
  const attempt = useAttempt('claim');
  const currencies = [...new Set([...payments.flatMap(({ amount }) => amount?.currency ?? []), 'EUR', 'USD'])];
  const [amount, setAmount] = useDraft('claim-amount');
  const [currency, setCurrency] = useDraft('claim-currency', currencies[0]);
  const [date, setDate] = useDraft('claim-date');
  const [order, setOrder] = useDraft('claim-order');
  const [card, setCard] = useDraft('claim-card');
  const minorUnits = minorUnitsIn(amount, currency);
  const isBadAmount = amount.trim() !== '' && minorUnits === null;
  const isBadCard = card.trim() !== '' && !/^\d{4}$/.test(card.trim());
  const isNone = [amount, date, order, card].every((text) => text.trim() === '');
  const submit = async () => {
    const asked = {
      ticketId,
      ...(minorUnits === null ? {} : { amount: { minorUnits, currency } }),
      ...(date === '' ? {} : { date }),
      ...(order.trim() === '' ? {} : { orderReference: order.trim() }),
      ...(card.trim() === '' ? {} : { cardLast4: card.trim() }),
    };
    if ((await act.run({ input: { ...asked, idempotencyKey: attempt.of(asked).key } })) === null) return;
    attempt.done();
    for (const clear of [setAmount, setDate, setOrder, setCard]) clear('');
    announce(t('claimed'));
    done();
    refresh();
  };
  const example = new Intl.NumberFormat(language, { minimumFractionDigits: 2 }).format(49.9);
  return (
    <ActForm act={act} isValid={!isBadAmount && !isBadCard && !isNone} submit={submit} button={t('claimIt')}>
      {(showsProblem) => (
        <>
          <p>{t('claimHint')}</p>
          <div className="pair">
            <Field
              label={t('claimAmount')}
              problem={showsProblem ? (isBadAmount ? t('claimBadAmount', { example }) : isNone ? t('claimNone') : null) : null}
            >
              {(given) => (
                <input
                  {...given}
                  inputMode="decimal"
                  autoComplete="off"
                  value={amount}
                  onChange={({ target }) => setAmount(target.value)}
                />
              )}
            </Field>
            <Field label={t('claimCurrency')}>
              {(given) => (
                <select {...given} value={currency} onChange={({ target }) => setCurrency(target.value)}>
                  {currencies.map((each) => (
                    <option key={each}>{each}</option>
                  ))}
                </select>
              )}
            </Field>
          </div>
          <Field label={t('claimDate')}>
            {(given) => <input {...given} type="date" value={date} onChange={({ target }) => setDate(target.value)} />}
          </Field>
          <Field label={t('claimOrder')}>
            {(given) => (
              <input
                {...given}
                autoComplete="off"
                maxLength={128}
                value={order}
                onChange={({ target }) => setOrder(target.value)}
              />
            )}
          </Field>
          <Field label={t('claimCard')} hint={t('claimCardHint')} problem={showsProblem && isBadCard ? t('claimBadCard') : null}>
            {(given) => (
              <input
                {...given}
                inputMode="numeric"
                autoComplete="off"
                maxLength={4}
                value={card}
                onChange={({ target }) => setCard(target.value)}
              />
            )}
          </Field>
        </>
      )}
    </ActForm>
  );
};

const Reporting = ({ done }: Pick<Form, 'done'>) => {
  const t = useText(formTexts);
  const { ticketId, announce, refresh } = useShown();
  const act = useAct(ReportConcern);
  const note = useReasonText('concern');
  const submit = async () => {
    if ((await act.run({ input: { ticketId, note: note.text } })) === null) return;
    note.setText('');
    announce(t('concerned'));
    done();
    refresh();
  };
  return (
    <ActForm act={act} isValid={note.problem === null} submit={submit} button={t('concernIt')}>
      {(showsProblem) => (
        <>
          <p>{t('concernHint')}</p>
          <ReasonField of={note} label={t('note')} showsProblem={showsProblem} />
        </>
      )}
    </ActForm>
  );
};

const ofCustomer = ['REVIEW', 'STEP_UP', 'BLOCK_NEW', 'PAUSE_RENEWAL'] as const satisfies readonly HoldEffectKind[];
const ofPayment = ['DEFER_CAPTURE', 'HOLD_ORDER'] as const satisfies readonly HoldEffectKind[];
/** Minutes that are offered. What is longer than the policy allows, the gateway refuses. */
const lengths = [30, 60, 120] as const;

/** Makes something wait: what the customer does next, or one payment that is pending. */
const Placing = ({ payments, done }: Form) => {
  const t = useText(formTexts);
  const { money, time } = useFormats();
  const { ticketId, announce, refresh, drafts } = useShown();
  const act = useAct(PlaceTicketHold);
  const attempt = useAttempt('hold');
  const reason = useReasonText('hold');
  const [on, setOn] = useDraft('hold-on');
  const [minutes, setMinutes] = useDraft('hold-minutes', '60');
  const [chosen, choose] = useState<readonly HoldEffectKind[]>(['REVIEW']);
  const pending = payments.filter(isPending);
  const kinds: readonly HoldEffectKind[] = on === '' ? ofCustomer : [...ofPayment, 'REVIEW'];
  const effects = chosen.filter((kind) => kinds.includes(kind));
  const submit = async () => {
    const asked = { ticketId, effects, reason: reason.text, transactionId: on === '' ? null : on };
    // The end is part of what the key stands for: it is reckoned once an attempt.
    const { key, at } = attempt.of({ ...asked, minutes });
    const until = new Date(at + Number(minutes) * 60_000).toISOString();
    if ((await act.run({ input: { ...asked, until, idempotencyKey: key } })) === null) return;
    attempt.done();
    reason.setText('');
    drafts.delete('hold');
    announce(t('placed'));
    done();
    refresh();
  };
  return (
    <ActForm act={act} isValid={reason.problem === null && effects.length > 0} submit={submit} button={t('placeIt')}>
      {(showsProblem) => (
        <>
          <p>{t('placeHint')}</p>
          {pending.length === 0 ? null : (
            <Field label={t('holdOn')}>
              {(given) => (
                <select {...given} value={on} onChange={({ target }) => setOn(target.value)}>
                  <option value="">{t('holdOnCustomer')}</option>
                  {pending.map(({ id, amount, createdAt }) => (
                    <option key={id} value={id}>
                      {[amount && money(amount), createdAt && time(createdAt)].filter(Boolean).join(', ')}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
          <fieldset>
            <legend>{t('holdWhat')}</legend>
            {showsProblem && effects.length === 0 ? <p className="problem">{t('pickOne')}</p> : null}
            {kinds.map((kind) => (
              <label key={kind} className="choice">
                <input
                  type="checkbox"
                  checked={effects.includes(kind)}
                  aria-invalid={showsProblem && effects.length === 0 ? true : undefined}
                  onChange={({ target }) => choose(target.checked ? [...chosen, kind] : chosen.filter((each) => each !== kind))}
                />
                {t(`effect${kind}`)}
              </label>
            ))}
          </fieldset>
          <Field label={t('holdHow')}>
            {(given) => (
              <select {...given} value={minutes} onChange={({ target }) => setMinutes(target.value)}>
                {lengths.map((each) => (
                  <option key={each} value={each}>
                    {each < 60 ? t('minutes', { count: each }) : t('hours', { count: each / 60 })}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <ReasonField of={reason} showsProblem={showsProblem} />
        </>
      )}
    </ActForm>
  );
};

const forms = { claim: Claiming, place: Placing, concern: Reporting };

/** One of the forms, with the payments that it may be about. */
export default ({ what, ...form }: Form & { readonly what: keyof typeof forms }) => {
  const Chosen = forms[what];
  return <Chosen {...form} />;
};
