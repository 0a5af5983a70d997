import { lookedUp, useNameLookUp } from '../graph/actor-names';
import { catalogue, useText } from '../text/catalogue';
import { RefusalNotice } from './notices';
import { Foreign } from './text';

const texts = catalogue(
  {
    whoIs: { one: 'Say who this is', other: 'Say who these {count} are' },
    whoIsRecorded: 'The log has each look-up.',
    nobody: 'nobody whom this gateway knows',
    nameless: 'no name is kept, or it was erased',
  },
  {
    whoIs: { one: 'Sagen, wer das ist', other: 'Sagen, wer diese {count} sind' },
    whoIsRecorded: 'Das Protokoll hält jedes Nachschlagen fest.',
    nobody: 'niemand, den dieses Gateway kennt',
    nameless: 'kein Name ist aufbewahrt, oder er wurde gelöscht',
  },
);

/** What those are called whom ids of the log stand for; for whom the policy lets look that up. */
export const Who = ({ ids }: { readonly ids: readonly string[] }) => {
  const t = useText(texts);
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
