import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { LogEventData } from '../../graph/operations';
import type { Refusal } from '../../graph/refusals';
import { Facts as AllFacts } from '../../parts/facts';
import { NotShown } from '../../parts/notices';
import { pathTo } from '../../paths';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { auditorTexts } from './texts';

type DisclosedFields = LogEventData['auditEvents']['nodes'][number]['disclosedFields'];

/** Names with what belongs to them; those without anything are left out. */
export const Facts = ({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) => (
  <AllFacts facts={facts.map(([term, is]) => (is === null ? null : { term, is }))} />
);

/** An event by its place in the log. */
export const EventLink = ({ id, leafIndex }: { readonly id: string; readonly leafIndex: number | null }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  return (
    <Link href={pathTo('logEvent', { id })}>
      {leafIndex === null ? t('unplaced') : t('leafNumber', { index: number(leafIndex) })}
    </Link>
  );
};

/** Which fields were shown, how, and how often; masks and refusals too. */
export const ShownFields = ({ fields, refusal }: { readonly fields: DisclosedFields; readonly refusal: Refusal | null }) => {
  const t = useText(commonTexts);
  if (fields === null)
    return refusal === null ? <span className="not-shown">{t('notShown')}</span> : <NotShown refusal={refusal} />;
  if (fields.length === 0) return <>{t('none')}</>;
  return (
    <ul className="shown-fields">
      {fields.map(({ field, verdict, count }) => (
        <li key={`${field} ${verdict}`}>
          <span className="mono">{field}</span> <span className={verdict === 'reveal' ? 'tag warn' : 'tag'}>{verdict}</span> ×{' '}
          {count}
        </li>
      ))}
    </ul>
  );
};
