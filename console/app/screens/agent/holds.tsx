import { lazy } from 'react';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { formTexts } from './form-texts';
import { Opens } from './opens';
import { isStanding } from './pending';
import { type Hold, Listed, type Ticket, useShown } from './shown';

const Releasing = lazy(() => import('./releasing'));

const One = ({ hold: { id, state, cause, reason, expiresAt, owner, effects } }: { readonly hold: Hold }) => {
  const t = useText(formTexts);
  const { time } = useFormats();
  const { isFrame } = useShown();
  return (
    <li>
      <Listed field="Hold.effects" of={effects} empty={null}>
        {(items) => (
          <ul className="facts-short">
            {items.map(({ kind, state: far }) => (
              <li key={kind}>
                {kind === null ? null : t(`effect${kind}`)}{' '}
                {far === 'NOT_POSSIBLE' || far === 'PENDING' || far === 'UNKNOWN' ? (
                  <span className="tag warn">{t(`effect${far}`)}</span>
                ) : null}
              </li>
            ))}
          </ul>
        )}
      </Listed>
      <p className="quiet">
        {state === 'PROPOSED' ? `${t('holdPROPOSED')}, ` : null}
        {t('holdState', { time: time(expiresAt) })}
        {cause === null ? null : `, ${t(`cause${cause}`)}`}
        {owner === null ? null : (
          <>
            {' ('}
            <Foreign text={owner.displayName} />)
          </>
        )}
      </p>
      {reason ? (
        <p>
          <Foreign text={reason} />
        </p>
      ) : null}
      {cause === 'AGENT' && !isFrame && (state === 'ACTIVE' || state === 'PLACING') ? (
        <Opens summary={t('letGo')}>{() => <Releasing id={id} />}</Opens>
      ) : null}
    </li>
  );
};

/** What waits for the customer just now. */
export default ({ of }: { readonly of: Ticket['holds'] }) => {
  const t = useText(formTexts);
  const now = of?.filter(({ state }) => isStanding(state)) ?? null;
  return (
    <section className="sheet" aria-labelledby="panel-holds">
      <h2 id="panel-holds">{t('holds')}</h2>
      <Listed field="Ticket.holds" of={now} empty={null}>
        {(holds) => (
          <ul className="items">
            {holds.map((hold) => (
              <One key={hold.id} hold={hold} />
            ))}
          </ul>
        )}
      </Listed>
    </section>
  );
};
