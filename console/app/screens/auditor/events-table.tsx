import { memo, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { LogPageData } from '../../graph/operations';
import { Foreign } from '../../parts/text';
import { Time } from '../../parts/time';
import { withUnseen } from '../../parts/unseen';
import { pathTo } from '../../paths';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { logPath } from './address';
import { auditorTexts } from './texts';
import { Says } from './words';

export type LoggedEvent = LogPageData['auditEvents']['nodes'][number];

export const Outcome = ({ outcome }: { readonly outcome: LoggedEvent['outcome'] }) => {
  const t = useText(auditorTexts);
  return <span className={outcome === 'DENIED' ? 'tag wrong' : 'tag good'}>{t(outcome)}</span>;
};

/** Who acted, as what. */
export const Actor = ({ actor }: { readonly actor: LoggedEvent['actor'] }) =>
  actor === null ? null : (
    <>
      <Link href={logPath({ actor: actor.id })} className="mono">
        {actor.id}
      </Link>{' '}
      <span className="quiet">{actor.roles.length > 0 ? actor.roles.join(', ') : actor.kind}</span>
    </>
  );

/** What an event is about: the way to all that happened to it. */
export const Subject = ({ subject }: { readonly subject: LoggedEvent['subject'] }) =>
  subject === null ? null : (
    <Link href={logPath({ type: subject.type, subject: subject.id })}>
      {subject.type} <span className="mono">{subject.id}</span>
    </Link>
  );

// biome-ignore-start lint/a11y/noRedundantRoles: where a table becomes cards, some browsers take its roles away (HTML AAM)
const Row = ({ event, place }: { readonly event: LoggedEvent; readonly place: number }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const { id, at, action, outcome, actor, ticketId, subject, leafIndex } = event;
  return (
    // The first row is the one of the titles.
    <tr role="row" aria-rowindex={place + 2}>
      <td role="cell" data-title={t('time')}>
        <Time at={at} zone="utc" seconds />
      </td>
      <td role="cell" data-title={t('event')}>
        <Link href={pathTo('logEvent', { id })}>{action}</Link> {outcome === 'DENIED' ? <Outcome outcome={outcome} /> : null}
        <span className="says">
          <Says action={action} />
        </span>
      </td>
      <td role="cell" data-title={t('actor')}>
        <Actor actor={actor} />
      </td>
      <td role="cell" data-title={t('about')}>
        <Subject subject={subject} />
        {ticketId === null ? null : (
          <Link href={logPath({ ticket: ticketId })} className="mono about-ticket">
            {ticketId}
          </Link>
        )}
      </td>
      <td role="cell" data-title={t('leaf')} className="number">
        {leafIndex === null ? null : number(leafIndex)}
      </td>
    </tr>
  );
};

const columns = 5;
/** So many rows come and go together. */
const together = 20;
/** How far beyond the window rows are there, in pixels. */
const nearby = 1_000;
/** What a block that was never there is taken for, in pixels. */
const usualHeight = together * 64;

/** Some rows of a long table. Events never change: a block of as many rows in the same place is the same. */
const Block = memo(
  ({
    events,
    at,
    measured,
  }: {
    readonly events: readonly LoggedEvent[];
    readonly at: number;
    readonly measured: (at: number, height: number) => void;
  }) => {
    const body = useRef<HTMLTableSectionElement>(null);
    useLayoutEffect(() => {
      if (body.current !== null) measured(at, body.current.getBoundingClientRect().height);
    });
    return (
      <tbody ref={body} role="rowgroup">
        {events.map((event, place) => (
          <Row key={event.id} event={event} place={at * together + place} />
        ))}
      </tbody>
    );
  },
  (one, other) => one.at === other.at && one.events.length === other.events.length,
);

/** In place of rows that are far from what is seen: as high as they are. */
const Spacer = ({ height }: { readonly height: number }) =>
  height <= 0 ? null : (
    <tbody aria-hidden="true" className="spacer">
      <tr style={{ height }}>
        <td colSpan={columns} />
      </tr>
    </tbody>
  );

interface Range {
  readonly start: number;
  /** Excluded. */
  readonly end: number;
}

/** Events in the order of the log, however many there are: only those near the window are in the document. */
export const EventsTable = ({
  caption,
  events,
  total,
}: {
  readonly caption: string;
  readonly events: readonly LoggedEvent[];
  readonly total: number;
}) => {
  const t = useText(auditorTexts);
  const table = useRef<HTMLTableElement>(null);
  const heights = useRef<number[]>([]);
  const [range, setRange] = useState<Range>({ start: 0, end: 3 });
  const count = Math.ceil(events.length / together);
  const heightOf = (at: number): number => heights.current[at] ?? usualHeight;
  const look = useRef(() => {});
  const measured = useCallback((at: number, height: number) => {
    if (Math.abs((heights.current[at] ?? usualHeight) - height) > 1) look.current();
    heights.current[at] = height;
  }, []);

  useEffect(() => {
    const find = () => {
      if (table.current === null) return;
      const { top } = table.current.getBoundingClientRect();
      const [from, to] = [-top - nearby, -top + innerHeight + nearby];
      let [start, end, y] = [0, 0, 0];
      for (let at = 0; at < count && y < to; at += 1) {
        y += heights.current[at] ?? usualHeight;
        if (y < from) start = at + 1;
        end = at + 1;
      }
      start = Math.min(start, Math.max(0, count - 1));
      end = Math.max(end, start + 1);
      setRange((known) => (known.start === start && known.end === end ? known : { start, end }));
    };
    let frame = 0;
    const soon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(find);
    };
    look.current = soon;
    find();
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    return () => {
      look.current = () => {};
      cancelAnimationFrame(frame);
      removeEventListener('scroll', soon);
      removeEventListener('resize', soon);
    };
  }, [count]);

  const sum = (from: number, to: number): number => {
    let height = 0;
    for (let at = from; at < to; at += 1) height += heightOf(at);
    return height;
  };
  const end = Math.min(range.end, count);
  return (
    <table ref={table} role="table" className="events" aria-rowcount={total + 1}>
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {(['time', 'event', 'actor', 'about', 'leaf'] as const).map((name) => (
            <th key={name} role="columnheader" scope="col" className={`col-${name}${name === 'leaf' ? ' number' : ''}`}>
              {t(name)}
            </th>
          ))}
        </tr>
      </thead>
      <Spacer height={sum(0, range.start)} />
      {Array.from({ length: Math.max(0, end - range.start) }, (_, place) => {
        const at = range.start + place;
        const block = events.slice(at * together, (at + 1) * together);
        return <Block key={at} events={block} at={at} measured={measured} />;
      })}
      <Spacer height={sum(end, count)} />
    </table>
  );
};
// biome-ignore-end lint/a11y/noRedundantRoles: see above

/** How far the rows that an answer goes by were held against what was signed, in words. */
export const RowsChecked = ({ to, findings }: { readonly to: number; readonly findings: number }) => {
  const t = useText(auditorTexts);
  if (findings > 0)
    return (
      <div className="notice refusal" role="alert">
        <p>
          <strong>{t('rowsDiffer', { count: findings })}</strong>
        </p>
        <p>{t('rowsDifferMeans')}</p>
      </div>
    );
  return <p className="quiet">{to === 0 ? t('rowsUnchecked') : t('rowsChecked', { count: to })}</p>;
};

/** A text of the log that isn't ours to vouch for: nothing in it hides, or turns the rest. */
export const Stated = ({ text }: { readonly text: string | null }) =>
  text === null ? null : <Foreign text={withUnseen(text)} />;
