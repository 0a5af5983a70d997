import { useState } from 'react';
import { catalogue, useText } from '../text/catalogue';

const texts = catalogue(
  { pages: 'Pages', first: 'First page', next: 'Next page', previous: 'Previous page' },
  { pages: 'Seiten', first: 'Erste Seite', next: 'Nächste Seite', previous: 'Vorherige Seite' },
);

export interface Paging {
  /** Behind which the page begins. */
  readonly after: string | null;
  readonly go: (cursors: readonly string[]) => void;
  readonly cursors: readonly string[];
}

/** Where in a list somebody is. `key` is what it is filtered by: another list begins at its beginning. */
export const usePaging = (key = ''): Paging => {
  const [kept, keep] = useState<{ readonly key: string; readonly cursors: readonly string[] }>({ key, cursors: [] });
  const cursors = kept.key === key ? kept.cursors : [];
  return { after: cursors.at(-1) ?? null, cursors, go: (next) => keep({ key, cursors: next }) };
};

/** A way to another page; where there is none it stays, and the keyboard at it. */
const Step = ({
  label,
  to,
  go,
}: {
  readonly label: string;
  readonly to: readonly string[] | null;
  readonly go: Paging['go'];
}) => (
  <button type="button" className="small" aria-disabled={to === null} onClick={() => to !== null && go(to)}>
    {label}
  </button>
);

export const Pager = ({
  paging: { cursors, go },
  page: { hasNextPage, endCursor },
}: {
  readonly paging: Paging;
  readonly page: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}) => {
  const t = useText(texts);
  if (cursors.length === 0 && !hasNextPage) return null;
  return (
    <nav className="pager" aria-label={t('pages')}>
      <Step label={t('first')} to={cursors.length === 0 ? null : []} go={go} />
      <Step label={t('previous')} to={cursors.length === 0 ? null : cursors.slice(0, -1)} go={go} />
      <Step label={t('next')} to={hasNextPage && endCursor !== null ? [...cursors, endCursor] : null} go={go} />
    </nav>
  );
};
