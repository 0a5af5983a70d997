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
      <button type="button" className="small" disabled={cursors.length === 0} onClick={() => go([])}>
        {t('first')}
      </button>
      <button type="button" className="small" disabled={cursors.length === 0} onClick={() => go(cursors.slice(0, -1))}>
        {t('previous')}
      </button>
      <button
        type="button"
        className="small"
        disabled={!hasNextPage || endCursor === null}
        onClick={() => endCursor !== null && go([...cursors, endCursor])}
      >
        {t('next')}
      </button>
    </nav>
  );
};
