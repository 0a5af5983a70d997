import { type FormEvent, useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { LogCounts, type LogCountsData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Table } from '../../parts/table';
import { paths } from '../../paths';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { fieldOf, filtersIn, logPath, minuteOf, timeIn } from './address';
import { Outcome } from './events-table';
import { LogScreen } from './nav';
import { auditorTexts } from './texts';

type Count = LogCountsData['auditCounts'][number];

/** What the bars are of. */
const groups = { action: ({ action }: Count) => action, actor: ({ actorId }: Count) => actorId } as const;
type Group = keyof typeof groups;

const mostBars = 12;
const rowsAtOnce = 100;

const sums = (counts: readonly Count[], group: Group): readonly (readonly [name: string, count: number])[] => {
  const by = new Map<string, number>();
  for (const each of counts) by.set(groups[group](each), (by.get(groups[group](each)) ?? 0) + each.count);
  return [...by].sort(([, a], [, b]) => b - a);
};

/** The largest as bars. The table below has all of the numbers, so nobody has to read them off here. */
const Bars = ({ counts, group }: { readonly counts: readonly Count[]; readonly group: Group }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const all = sums(counts, group);
  const most = all[0]?.[1] ?? 0;
  return (
    <figure className="sheet bars" aria-label={t(group === 'action' ? 'barsByAction' : 'barsByActor')}>
      <ol>
        {all.slice(0, mostBars).map(([name, count]) => (
          <li key={name}>
            <span className="mono">{name}</span>
            <svg aria-hidden="true" viewBox="0 0 100 1" preserveAspectRatio="none">
              <rect width={most === 0 ? 0 : Math.max(0.5, (count / most) * 100)} height="1" />
            </svg>
            <span className="number">{number(count)}</span>
          </li>
        ))}
      </ol>
      <figcaption>{t('barsAre', { shown: Math.min(all.length, mostBars), total: all.length })}</figcaption>
    </figure>
  );
};

const Counted = ({ from, before }: { readonly from: string; readonly before: string }) => {
  const t = useText(auditorTexts);
  const common = useText(commonTexts);
  const { number } = useFormats();
  const [group, setGroup] = useState<Group>('action');
  const [rows, setRows] = useState(rowsAtOnce);
  const answer = useGraph(LogCounts, { from, before });
  return (
    <Answered answer={answer}>
      {({ auditCounts: counts }) => (
        <>
          {counts.length === 0 ? null : (
            <>
              <fieldset className="log-choice">
                <legend>{t('group')}</legend>
                {(['action', 'actor'] as const).map((each) => (
                  <label key={each}>
                    <input type="radio" name="group" checked={group === each} onChange={() => setGroup(each)} />{' '}
                    {t(each === 'action' ? 'groupAction' : 'groupActor')}
                  </label>
                ))}
              </fieldset>
              <Bars counts={counts} group={group} />
            </>
          )}
          {counts.length === 1_000 ? <p className="notice warn">{t('countsCut')}</p> : null}
          <Table
            caption={t('countsCaption', { count: counts.reduce((sum, { count }) => sum + count, 0) })}
            empty={t('noEvents')}
            rows={counts.slice(0, rows)}
            keyOf={({ actorId, action, outcome }) => `${actorId} ${action} ${outcome}`}
            columns={[
              {
                key: 'actor',
                title: t('actor'),
                cell: ({ actorId }) => (
                  <Link className="mono" href={logPath({ actor: actorId, from, before })}>
                    {actorId}
                  </Link>
                ),
              },
              {
                key: 'event',
                title: t('event'),
                cell: ({ actorId, action }) => <Link href={logPath({ actor: actorId, action, from, before })}>{action}</Link>,
              },
              { key: 'outcome', title: t('outcome'), cell: ({ outcome }) => <Outcome outcome={outcome} /> },
              { key: 'count', title: t('count'), numeric: true, cell: ({ count }) => number(count) },
            ]}
          />
          {counts.length > rows ? (
            <p className="actions">
              <button type="button" className="other" onClick={() => setRows(rows + rowsAtOnce)}>
                {common('more')}
              </button>
            </p>
          ) : null}
        </>
      )}
    </Answered>
  );
};

const week = 604_800_000;

/** How often who did what in a span of time. */
export default () => {
  const t = useText(auditorTexts);
  const [, go] = useLocation();
  const { from: asked, before: end } = filtersIn(useSearch());
  // Of this minute's end, so that the same is asked for as long as the page stands.
  const [now] = useState(() => Date.now() + 60_000);
  const before = end ?? minuteOf(now);
  const from = asked ?? minuteOf(Date.parse(before) - week);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const query = new URLSearchParams();
    for (const name of ['from', 'before']) {
      const time = timeIn(String(form.get(name) ?? ''));
      if (time !== undefined) query.set(name, time);
    }
    go(`${paths.logCounts}?${query}`);
  };
  return (
    <LogScreen title={t('counts')}>
      <p>{t('countsIntro')}</p>
      <form key={`${from} ${before}`} className="sheet log-filters" onSubmit={submit} aria-label={t('filter')}>
        {(['from', 'before'] as const).map((name) => (
          <p className="field" key={name}>
            <label htmlFor={`counts-${name}`}>{t(`filter_${name}`)}</label>
            <input
              id={`counts-${name}`}
              name={name}
              type="datetime-local"
              required
              defaultValue={fieldOf(name === 'from' ? from : before)}
            />
          </p>
        ))}
        <p className="actions wide">
          <button type="submit">{t('show')}</button>
        </p>
      </form>
      <Counted key={`${from} ${before}`} from={from} before={before} />
    </LogScreen>
  );
};
