import { lookedUp, useNameLookUp } from '../../graph/actor-names';
import { RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { auditorTexts } from './texts';

/** What those are called whom ids of the log stand for. */
export const Who = ({ ids }: { readonly ids: readonly string[] }) => {
  const t = useText(auditorTexts);
  const { named, refusal, isBusy, ask } = useNameLookUp();
  const people = lookedUp(ids);
  if (people.length === 0) return null;
  return (
    <div className="who-asked" role="status">
      {refusal === null ? null : <RefusalNotice refusal={refusal} />}
      {!people.every((id) => named.has(id)) ? (
        <p className="actions">
          <button type="button" className="small" aria-disabled={isBusy} onClick={() => void ask(people)}>
            {t('whoIs', { count: people.length })}
          </button>
          <span className="quiet">{t('whoIsRecorded')}</span>
        </p>
      ) : (
        <ul className="grounds">
          {people.map((id) => {
            const found = named.get(id);
            return (
              <li key={id}>
                <span className="mono">{id}</span>{' '}
                {found?.name ? <Foreign text={found.name} /> : <em>{t(found ? 'nameless' : 'nobody')}</em>}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
};
