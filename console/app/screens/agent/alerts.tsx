import { useState } from 'react';
import { type AlertResolution, ResolveTicketAlert } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { Ago } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { type Alert, Listed, type Ticket, useShown, Value } from './shown';
import { agentTexts } from './texts';

const resolutions = ['TRUE', 'FALSE', 'UNSURE'] as const satisfies readonly AlertResolution[];

/** Rules about staff have no title here: nobody who works with a ticket is told of those. */
const titleOf = (name: NonNullable<Alert['rule']>) => {
  const title = `rule${name}`;
  return Object.hasOwn(agentTexts.en, title) ? (title as 'ruleOTHER') : 'ruleOTHER';
};

const Resolving = ({ id }: { readonly id: string }) => {
  const t = useText(agentTexts);
  const { announce, refresh } = useShown();
  const act = useAct(ResolveTicketAlert);
  const resolve = async (resolution: AlertResolution) => {
    if ((await act.run({ input: { id, resolution } })) === null) return;
    announce(t('resolved'));
    refresh();
  };
  return (
    <fieldset className="resolve">
      <legend>{t('resolve')}</legend>
      <div className="actions">
        {resolutions.map((each) => (
          <button key={each} type="button" className="small" aria-disabled={act.isBusy} onClick={() => void resolve(each)}>
            {t(`resolve${each}`)}
          </button>
        ))}
      </div>
      {act.refusal === null ? null : <RefusalNotice refusal={act.refusal} live />}
    </fieldset>
  );
};

const One = ({ alert: { id, rule, severity, raisedAt, note, reasons, guidance } }: { readonly alert: Alert }) => {
  const t = useText(agentTexts);
  const { country } = useFormats();
  const { isFrame } = useShown();
  const [heading] = useState(() => `alert-${id}`);
  return (
    <article className={`notice alert ${severity === 'HIGH' ? 'refusal' : 'warn'}`} aria-labelledby={heading}>
      <h3 id={heading}>
        <Value field="Alert.rule" of={rule}>
          {(name) => t(titleOf(name))}
        </Value>
      </h3>
      <p className="quiet">
        <Ago at={raisedAt} /> {severity === null ? null : <span className="tag">{t(`severity${severity}`)}</span>}
      </p>
      {note ? (
        <blockquote>
          <Foreign text={note} />
        </blockquote>
      ) : null}
      <Listed field="Alert.reasons" of={reasons} empty={null}>
        {(items) => (
          <ul className="facts-short">
            {items.map(({ code, count, countries }) => (
              <li key={`${code} ${count}`}>
                {code === null ? null : t(`reason${code}`, count === null ? {} : { count })}
                {countries !== null && countries.length > 0 ? `: ${countries.map(country).join(', ')}` : null}
              </li>
            ))}
          </ul>
        )}
      </Listed>
      <Listed field="Alert.guidance" of={guidance} empty={null}>
        {(steps) => (
          <>
            <p>
              <strong>{t('whatToDo')}</strong>
            </p>
            <ol>
              {steps.map(({ code, text }) => (
                <li key={code}>{code === null ? text : t(`guide${code}`)}</li>
              ))}
            </ol>
          </>
        )}
      </Listed>
      {isFrame ? <p className="quiet">{t('resolveInConsole')}</p> : <Resolving id={id} />}
    </article>
  );
};

/** What whoever has the ticket should know first. */
export const Alerts = ({ of }: { readonly of: Ticket['alerts'] }) => {
  const t = useText(agentTexts);
  const { refusals } = useShown();
  if (of?.length === 0) return null;
  if (of === null && refusals.of('Ticket.alerts') === null) return <p className="quiet">{t('alertsUnknown')}</p>;
  return (
    <section aria-labelledby="panel-alerts">
      <h2 id="panel-alerts">{t('alerts')}</h2>
      <Listed field="Ticket.alerts" of={of} empty={null}>
        {(alerts) => alerts.map((alert) => <One key={alert.id} alert={alert} />)}
      </Listed>
    </section>
  );
};
