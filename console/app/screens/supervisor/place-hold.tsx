import { useId, useState } from 'react';
import { type HoldEffectKind, PaymentsToHold, PlaceHold as PlaceHoldMutation, TicketsToHoldOn } from '../../graph/operations';
import { useAct, useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { ReasonForm } from '../../parts/reason';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { holdTexts } from './holds-texts';
import { words } from './words';

const ofWhoeverPays: readonly HoldEffectKind[] = ['REVIEW', 'STEP_UP', 'BLOCK_NEW', 'PAUSE_RENEWAL', 'HOLD_ORDER'];
/** Minutes. What an agent may is less; the graph says how much. */
const durations = [30, 60, 120, 240, 480, 1_440] as const;

const newKey = (): string => `console-${crypto.randomUUID()}`;

const PlaceForm = ({ close, look }: { readonly close: (done: string | null) => void; readonly look: () => void }) => {
  const t = useText(holdTexts);
  const word = useText(words);
  const { money, time } = useFormats();
  const id = useId();
  const place = useAct(PlaceHoldMutation);
  const tickets = useGraph(TicketsToHoldOn, {});
  const [ticketId, chooseTicket] = useState('');
  const [transactionId, choosePayment] = useState('');
  const [effects, chooseEffects] = useState<readonly HoldEffectKind[]>(['REVIEW']);
  const [minutes, chooseMinutes] = useState<number>(60);
  const [isWrong, setWrong] = useState(false);
  // One for each thing that is asked for: pressed twice, it is the same hold.
  const [tried] = useState(() => new Map<string, { readonly until: string; readonly idempotencyKey: string }>());
  const assisted =
    tickets.state === 'ready' ? tickets.data.tickets.nodes.filter(({ assistance }) => assistance?.state === 'LIVE') : [];
  const chosen = ticketId === '' ? (assisted[0]?.id ?? '') : ticketId;
  const payments = useGraph(PaymentsToHold, { id: chosen }, { pause: chosen === '' });
  const offered = payments.state === 'ready' ? (payments.data.ticket?.customer?.transactions?.nodes ?? []) : [];
  const kinds: readonly HoldEffectKind[] = transactionId === '' ? ofWhoeverPays : ['DEFER_CAPTURE', ...ofWhoeverPays];
  const wanted = kinds.filter((kind) => effects.includes(kind));
  const submit = async (reason: string) => {
    setWrong(wanted.length === 0);
    if (wanted.length === 0) return;
    const content = JSON.stringify([chosen, transactionId, wanted, minutes, reason]);
    // The same again is the same request, also after something else was tried: nobody may know whether that was done.
    const { until, idempotencyKey } = tried.get(content) ?? {
      until: new Date(Date.now() + minutes * 60_000).toISOString(),
      idempotencyKey: newKey(),
    };
    tried.set(content, { until, idempotencyKey });
    const done = await place.run({
      input: {
        ticketId: chosen,
        transactionId: transactionId === '' ? null : transactionId,
        effects: wanted,
        until,
        reason,
        idempotencyKey,
      },
    });
    look();
    if (done !== null) close(t('placed1', { state: word(`hold${done.placeHold.state}`), time: time(done.placeHold.expiresAt) }));
  };
  return (
    <section className="sheet" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{t('placeTitle')}</h2>
      <Answered answer={tickets}>
        {() =>
          assisted.length === 0 ? (
            <>
              <p>{t('placeNowhere')}</p>
              <button type="button" className="other" onClick={() => close(null)}>
                OK
              </button>
            </>
          ) : (
            <ReasonForm
              label={t('placeWhy')}
              hint={t('kept')}
              submit={t('placeNow')}
              isBusy={place.isBusy}
              refusal={place.refusal}
              onSubmit={(reason) => void submit(reason)}
              onCancel={() => close(null)}
            >
              <div className="field">
                <label htmlFor={`${id}-ticket`}>{t('placeWhere')}</label>
                <select
                  id={`${id}-ticket`}
                  value={chosen}
                  onChange={({ target }) => {
                    chooseTicket(target.value);
                    choosePayment('');
                  }}
                >
                  {assisted.map((ticket) => (
                    <option key={ticket.id} value={ticket.id}>
                      {ticket.reference}
                    </option>
                  ))}
                </select>
              </div>
              <div className="field">
                <label htmlFor={`${id}-payment`}>{t('placePayment')}</label>
                <p className="hint" id={`${id}-payment-hint`}>
                  {t('placePaymentHint')}
                </p>
                <select
                  id={`${id}-payment`}
                  aria-describedby={`${id}-payment-hint`}
                  value={transactionId}
                  onChange={({ target }) => choosePayment(target.value)}
                >
                  <option value="">{t('placePaymentNone')}</option>
                  {offered.map((payment) => (
                    <option key={payment.id} value={payment.id}>
                      {[
                        payment.amount === null ? null : money(payment.amount),
                        payment.createdAt === null ? null : time(payment.createdAt),
                      ]
                        .filter((part) => part !== null)
                        .join(', ')}
                    </option>
                  ))}
                </select>
              </div>
              <fieldset aria-describedby={`${id}-problem`}>
                <legend>{t('placeWhat')}</legend>
                <p className="problem" id={`${id}-problem`} role="alert">
                  {isWrong && wanted.length === 0 ? t('needsEffect') : null}
                </p>
                <div className="choices">
                  {kinds.map((kind) => (
                    <label key={kind}>
                      <input
                        type="checkbox"
                        checked={effects.includes(kind)}
                        onChange={({ target }) =>
                          chooseEffects(target.checked ? [...effects, kind] : effects.filter((each) => each !== kind))
                        }
                      />
                      <span>{word(`effect${kind}`)}</span>
                    </label>
                  ))}
                </div>
              </fieldset>
              <div className="field">
                <label htmlFor={`${id}-for`}>{t('placeFor')}</label>
                <select id={`${id}-for`} value={minutes} onChange={({ target }) => chooseMinutes(Number(target.value))}>
                  {durations.map((each) => (
                    <option key={each} value={each}>
                      {each < 60 ? t('minutes', { count: each }) : t('hours', { count: each / 60 })}
                    </option>
                  ))}
                </select>
              </div>
            </ReasonForm>
          )
        }
      </Answered>
    </section>
  );
};

/** Makes something wait, on a ticket where the reader assists. */
export const PlaceHold = ({ look }: { readonly look: () => void }) => {
  const t = useText(holdTexts);
  const [isOpen, setOpen] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  return (
    <>
      <p role="status" className={done === null ? undefined : 'notice good'}>
        {done}
      </p>
      {isOpen ? (
        <PlaceForm
          look={look}
          close={(outcome) => {
            setDone(outcome);
            setOpen(false);
          }}
        />
      ) : (
        <p>
          <button type="button" className="other" onClick={() => setOpen(true)}>
            {t('place')}
          </button>
        </p>
      )}
    </>
  );
};
