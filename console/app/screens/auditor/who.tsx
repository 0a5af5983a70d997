import { useState } from 'react';
import { ActorNames, type ActorNamesData } from '../../graph/operations';
import { offline, type Refusal } from '../../graph/refusals';
import { askOnce } from '../../graph/use';
import { RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { auditorTexts } from './texts';

type Named = ActorNamesData['auditActors'][number];

/** Names that one look-up gives. */
const mostNames = 50;

/** What those are called whom ids of the log stand for: said when somebody asks, since the log has each look-up. */
export const Who = ({ ids }: { readonly ids: readonly string[] }) => {
  const t = useText(auditorTexts);
  const [isBusy, setBusy] = useState(false);
  const [named, setNamed] = useState<readonly Named[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const people = [...new Set(ids)].filter((id) => id.startsWith('act_')).slice(0, mostNames);
  if (people.length === 0) return null;
  const ask = async () => {
    setBusy(true);
    const { data, refusals } = await askOnce(ActorNames, { ids: people });
    setNamed(data?.auditActors ?? null);
    setRefusal(data === null ? (refusals.first ?? offline) : refusals.first);
    setBusy(false);
  };
  return (
    <div className="who-asked" role="status">
      {refusal === null ? null : <RefusalNotice refusal={refusal} />}
      {named === null ? (
        <p className="actions">
          <button type="button" className="small" disabled={isBusy} onClick={() => void ask()}>
            {t('whoIs', { count: people.length })}
          </button>
          <span className="quiet">{t('whoIsRecorded')}</span>
        </p>
      ) : (
        <ul className="grounds">
          {people.map((id) => {
            const found = named.find((each) => each.id === id);
            return (
              <li key={id}>
                <span className="mono">{id}</span>{' '}
                {found?.name ? <Foreign text={found.name} /> : <em>{t(found === undefined ? 'nobody' : 'nameless')}</em>}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
};
