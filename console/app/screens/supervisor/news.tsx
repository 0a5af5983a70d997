import { type ReactNode, useEffect, useRef } from 'react';
import type { Answer } from '../../graph/use';
import { catalogue, useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';

const texts = catalogue(
  {
    news: { one: '{count} new', other: '{count} new' },
    show: { one: 'Show {count} new', other: 'Show {count} new' },
    current: 'Up to date at {time}. New ones are announced here; nothing moves until you ask.',
    asking: 'Asking …',
  },
  {
    news: { one: '{count} neu', other: '{count} neu' },
    show: { one: '{count} neue zeigen', other: '{count} neue zeigen' },
    current: 'Stand {time}. Neues wird hier gemeldet; nichts bewegt sich, bevor Sie es wollen.',
    asking: 'Wird abgefragt …',
  },
);

export interface News {
  /** Those that aren't shown yet. */
  readonly fresh: readonly string[];
  /** Those that are shown, and don't belong there any more. */
  readonly gone: ReadonlySet<string>;
  /** When it was last known, whether there is anything. */
  readonly at: Date;
}

/**
 * What has come and gone since something was shown: `shown` stands still as somebody reads and points, `now` is asked for again and again. What is
 * older than what is shown says nothing of it; where it is the beginning of more (`isCut`), it says nothing of what may have moved behind its end.
 */
export const newsOf = <Shown, Now>(
  shown: Answer<Shown>,
  now: Answer<Now>,
  idsShown: (data: Shown) => readonly string[],
  idsNow: (data: Now) => readonly string[],
  isCut: (data: Now) => boolean = () => false,
): News | null => {
  if (shown.state !== 'ready') return null;
  if (now.state !== 'ready' || now.at < shown.at) return { fresh: [], gone: new Set(), at: shown.at };
  const there = idsShown(shown.data);
  const current = new Set(idsNow(now.data));
  const judged = isCut(now.data) ? there.slice(0, there.findLastIndex((id) => current.has(id)) + 1) : there;
  return {
    fresh: [...current].filter((id) => !there.includes(id)),
    gone: new Set(judged.filter((id) => !current.has(id))),
    at: now.at,
  };
};

/** The id of the heading of one of what is listed. */
export const headingOf = (id: string): string => `about-${id}`;

/**
 * Says that there is something new, and shows it once that is wanted: then the keyboard is at the first of them. It has its room from the beginning,
 * so that nothing moves as it speaks.
 */
export const NewsBar = ({
  news,
  isAsking,
  show,
  children,
}: {
  readonly news: News | null;
  readonly isAsking: boolean;
  readonly show: () => void;
  readonly children?: ReactNode;
}) => {
  const t = useText(texts);
  const { time } = useFormats();
  const first = useRef<string | null>(null);
  const fresh = news?.fresh ?? [];
  useEffect(() => {
    if (first.current === null || isAsking) return;
    const heading = document.getElementById(headingOf(first.current));
    if (heading === null) return;
    first.current = null;
    heading.focus();
  });
  return (
    <div className="news">
      <p role="status" aria-live="polite">
        {fresh.length > 0 ? <strong>{t('news', { count: fresh.length })}</strong> : null}
      </p>
      {fresh.length > 0 ? null : (
        <p className="quiet">
          {isAsking ? t('asking') : news === null ? null : t('current', { time: time(news.at.toISOString()) })}
        </p>
      )}
      {fresh.length === 0 ? null : (
        <button
          type="button"
          onClick={() => {
            first.current = fresh[0] ?? null;
            show();
          }}
        >
          {t('show', { count: fresh.length })}
        </button>
      )}
      {children}
    </div>
  );
};
