import { LastExamination, SourceReports, type SourceReportsData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Table } from '../../parts/table';
import { Ago, useNow } from '../../parts/time';
import { useSession } from '../../session';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { operationsTexts } from './texts';

type Source = SourceReportsData['sources'][number];

const looks = { OK: 'tag good', BEHIND: 'tag warn', FAULT: 'tag wrong' } as const;

const faults = [
  'timeout',
  'circuit-open',
  'overloaded',
  'refused',
  'fault',
  'unauthorized',
  'rate-limited',
  'malformed',
  'internal',
] as const;

const Waiting = ({ source }: { readonly source: Source }) => {
  const t = useText(operationsTexts);
  const { customersWaiting, customersSetAside, textsLate, webhooksPending, webhooksUnknown } = source;
  const waits = [
    ['customers', customersWaiting],
    ['setAside', customersSetAside],
    ['texts', textsLate],
    ['pending', webhooksPending],
    ['unknownMessages', webhooksUnknown],
  ] as const;
  const some = waits.flatMap(([text, count]) => (count === null || count === 0 ? [] : [t(text, { count })]));
  return some.length === 0 ? t('nothingWaits') : some.join('; ');
};

const Standing = ({ source: { standing, fault } }: { readonly source: Source }) => {
  const t = useText(operationsTexts);
  const known = faults.find((each) => each === fault);
  return (
    <>
      <span className={looks[standing]}>{t(standing)}</span>
      {fault === null ? null : ` ${known === undefined ? t('unknownFault', { fault }) : t(known)}`}
    </>
  );
};

const Sources = () => {
  const t = useText(operationsTexts);
  const answer = useGraph(SourceReports, {}, { every: 30 });
  return (
    <section aria-labelledby="sources">
      <h2 id="sources">{t('sources')}</h2>
      <Answered answer={answer}>
        {({ sources }) => {
          const late = sources.filter(({ standing }) => standing !== 'OK').length;
          return (
            <>
              {sources.length === 0 ? null : (
                <p className={late === 0 ? 'notice good' : 'notice warn'} role="status">
                  {late === 0 ? t('allWell') : t('someBehind', { count: late })}
                </p>
              )}
              <Table
                caption={t('caption', { count: sources.length })}
                empty={t('noSources')}
                rows={sources}
                keyOf={({ name }) => name}
                columns={[
                  { key: 'name', title: t('name'), cell: ({ name, kind }) => `${name} (${kind})` },
                  { key: 'side', title: t('side'), cell: ({ side }) => t(side) },
                  { key: 'standing', title: t('standing'), cell: (source) => <Standing source={source} /> },
                  {
                    key: 'read',
                    title: t('readUntil'),
                    cell: ({ readUntil }) => (readUntil === null ? t('never') : <Ago at={readUntil} />),
                  },
                  { key: 'waiting', title: t('waiting'), cell: (source) => <Waiting source={source} /> },
                ]}
              />
            </>
          );
        }}
      </Answered>
    </section>
  );
};

const week = 7 * 86_400_000;

const Examination = () => {
  const t = useText(operationsTexts);
  const { time } = useFormats();
  const now = useNow(60);
  const answer = useGraph(LastExamination, {}, { every: 300 });
  return (
    <section aria-labelledby="examination">
      <h2 id="examination">{t('examination')}</h2>
      <Answered answer={answer}>
        {({ lastExamination }) => {
          if (lastExamination === null) return <p className="notice warn">{t('neverLooked')}</p>;
          const { at, areas } = lastExamination;
          const isOld = now - Date.parse(at) > week;
          const total = areas.reduce((sum, { findings }) => sum + findings, 0);
          return (
            <>
              <p className={isOld || total > 0 ? 'notice warn' : 'notice good'}>
                {t('lookedAt', { time: time(at) })}: {total === 0 ? t('fine') : t('counted', { count: total })}.{' '}
                {isOld ? t('isOld') : null} {areas.some(({ area }) => area === 'SOURCES') ? null : t('notAsked')}
              </p>
              <Table
                caption={t('areas')}
                empty=""
                rows={areas}
                keyOf={({ area }) => area}
                columns={[
                  { key: 'area', title: t('area'), cell: ({ area }) => t(area) },
                  {
                    key: 'found',
                    title: t('found'),
                    cell: ({ findings }) => (
                      <span className={findings === 0 ? 'tag good' : 'tag wrong'}>
                        {findings === 0 ? t('fine') : t('counted', { count: findings })}
                      </span>
                    ),
                  },
                ]}
              />
              {total === 0 ? null : <p className="quiet">{t('inWords')}</p>}
            </>
          );
        }}
      </Answered>
    </section>
  );
};

/** How the sources are doing and what the command line found, for whoever sees to that. */
export default () => {
  const t = useText(operationsTexts);
  const { roles } = useSession();
  return (
    <Page title={t('title')}>
      <Sources />
      {roles.some((role) => ['AUDITOR', 'PRIVACY', 'ADMIN'].includes(role)) ? <Examination /> : null}
    </Page>
  );
};
