import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { LogPage, type LogPageData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Loading, RefusalNotice } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import {
  type FilterName,
  type Filters,
  fieldOf,
  filterNames,
  filterOf,
  filtersIn,
  logPath,
  minuteOf,
  placeOf,
  timeIn,
  wrongIn,
} from './address';
import { EventsTable, RowsChecked } from './events-table';
import { LogScreen } from './nav';
import { auditorTexts } from './texts';
import { eventNames } from './words';

type Page = LogPageData['auditEvents'];

const ids = ['actor', 'ticket', 'customer', 'type', 'subject'] as const;
const times = ['from', 'before'] as const;
const spans = { lastHour: 3_600, lastDay: 86_400, lastWeek: 604_800 } as const;

const FilterForm = ({ filters }: { readonly filters: Filters }) => {
  const t = useText(auditorTexts);
  const [, go] = useLocation();
  const [wrong, setWrong] = useState<readonly FilterName[]>([]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = Object.fromEntries(
      filterNames.flatMap((name) => {
        const text = String(form.get(name) ?? '').trim();
        const value = name === 'from' || name === 'before' ? timeIn(text) : text;
        return value ? [[name, value]] : [];
      }),
    ) as Filters;
    const found = wrongIn(given);
    setWrong(found);
    const [first] = found;
    if (first === undefined) go(logPath(given));
    else event.currentTarget.querySelector<HTMLElement>(`[name=${first}]`)?.focus();
  };
  const described = (name: FilterName) => (wrong.includes(name) ? `wrong-${name}` : undefined);
  return (
    <form className="sheet log-filters" onSubmit={submit} noValidate aria-label={t('filter')}>
      {times.map((name) => (
        <p className="field" key={name}>
          <label htmlFor={`filter-${name}`}>{t(`filter_${name}`)}</label>
          <input id={`filter-${name}`} name={name} type="datetime-local" defaultValue={fieldOf(filters[name])} />
        </p>
      ))}
      <p className="field">
        <label htmlFor="filter-action">{t('filter_action')}</label>
        <select id="filter-action" name="action" defaultValue={filters.action ?? ''}>
          <option value="">{t('any')}</option>
          {eventNames.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </p>
      <p className="field">
        <label htmlFor="filter-outcome">{t('filter_outcome')}</label>
        <select id="filter-outcome" name="outcome" defaultValue={filters.outcome ?? ''}>
          <option value="">{t('any')}</option>
          <option value="ALLOWED">{t('ALLOWED')}</option>
          <option value="DENIED">{t('DENIED')}</option>
        </select>
      </p>
      {ids.map((name) => (
        <div className="field" key={name}>
          <label htmlFor={`filter-${name}`}>{t(`filter_${name}`)}</label>
          {wrong.includes(name) ? (
            <p className="problem" id={`wrong-${name}`}>
              {t(`wrong_${name}`)}
            </p>
          ) : null}
          <input
            id={`filter-${name}`}
            name={name}
            className="mono"
            defaultValue={filters[name] ?? ''}
            autoComplete="off"
            spellCheck={false}
            maxLength={100}
            aria-invalid={wrong.includes(name) || undefined}
            aria-describedby={described(name)}
          />
        </div>
      ))}
      <div className="actions wide">
        <button type="submit">{t('show')}</button>
        {Object.entries(spans).map(([name, seconds]) => (
          <button
            key={name}
            type="button"
            className="other"
            onClick={() => {
              const { before: _, ...rest } = filters;
              go(logPath({ ...rest, from: minuteOf(Date.now() - seconds * 1_000) }));
            }}
          >
            {t(name as keyof typeof spans)}
          </button>
        ))}
        <button type="button" className="other" onClick={() => go(logPath({}))}>
          {t('everything')}
        </button>
      </div>
    </form>
  );
};

/** Goes to an event, a customer, a ticket or a payment by its id. */
const GoTo = () => {
  const t = useText(auditorTexts);
  const [, go] = useLocation();
  const [isWrong, setWrong] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const place = placeOf(String(new FormData(event.currentTarget).get('id') ?? '').trim());
    setWrong(place === null);
    if (place !== null) go(place);
  };
  return (
    <form className="sheet go-to" onSubmit={submit} noValidate aria-label={t('goTo')}>
      <div className="field">
        <label htmlFor="go-to">{t('goTo')}</label>
        <p className="hint" id="go-to-hint">
          {t('goToHint')}
        </p>
        {isWrong ? (
          <p className="problem" id="go-to-wrong" role="alert">
            {t('goToWrong')}
          </p>
        ) : null}
        <input
          id="go-to"
          name="id"
          className="mono"
          autoComplete="off"
          spellCheck={false}
          maxLength={40}
          aria-invalid={isWrong || undefined}
          aria-describedby={isWrong ? 'go-to-wrong go-to-hint' : 'go-to-hint'}
        />
      </div>
      <button type="submit" className="other">
        {t('goToDo')}
      </button>
    </form>
  );
};

/** The events under a filter: a hundred more each time that the end of the table comes near. */
const Events = ({ filters }: { readonly filters: Filters }) => {
  const t = useText(auditorTexts);
  const common = useText(commonTexts);
  const [pages, setPages] = useState<readonly Page[]>([]);
  const events = useMemo(() => pages.flatMap(({ nodes }) => nodes), [pages]);
  const [isWanted, setWanted] = useState(true);
  const last = pages.at(-1);
  const answer = useGraph(
    LogPage,
    { filter: filterOf(filters), after: last?.pageInfo.endCursor ?? null },
    { pause: !isWanted || last?.pageInfo.hasNextPage === false },
  );
  const page = answer.state === 'ready' ? answer.data.auditEvents : null;
  useEffect(() => {
    if (page === null) return;
    setPages((known) => (known.includes(page) ? known : [...known, page]));
    setWanted(false);
  }, [page]);

  const end = useRef<HTMLDivElement>(null);
  const hasMore = last?.pageInfo.hasNextPage ?? false;
  const isRefused = answer.state === 'refused';
  useEffect(() => {
    if (end.current === null || !hasMore || isWanted) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && setWanted(true),
      {
        rootMargin: '600px 0px',
      },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, isWanted]);

  const refusal = isRefused ? (
    <RefusalNotice refusal={answer.refusal} live={pages.length > 0}>
      <p>
        <button type="button" className="small" onClick={answer.refresh}>
          {common('refresh')}
        </button>
      </p>
    </RefusalNotice>
  ) : null;
  if (last === undefined) return refusal ?? <Loading />;
  const shown = events.length;
  if (shown === 0)
    return (
      <p className="notice quiet" role="status">
        {t('noEvents')}
      </p>
    );
  return (
    <>
      <RowsChecked to={last.rowsCheckedTo} findings={Math.max(...pages.map(({ rowFindings }) => rowFindings))} />
      <EventsTable caption={t('eventsCaption', { count: last.totalCount })} events={events} total={last.totalCount} />
      {refusal}
      <div ref={end} className="actions">
        <p role="status" className="quiet">
          {t('eventsShown', { shown, total: last.totalCount })}
        </p>
        {hasMore && !isRefused ? (
          <button type="button" className="other" aria-disabled={isWanted} onClick={() => setWanted(true)}>
            {isWanted ? common('loading') : common('more')}
          </button>
        ) : null}
      </div>
    </>
  );
};

/** The log in its own order, under filters that stand in the address. */
export default () => {
  const t = useText(auditorTexts);
  const search = useSearch();
  const filters = filtersIn(search);
  const key = logPath(filters);
  return (
    <LogScreen title={t('log')}>
      <p>{t('logIntro')}</p>
      <FilterForm key={`form ${key}`} filters={filters} />
      <GoTo />
      <Events key={key} filters={filters} />
    </LogScreen>
  );
};
