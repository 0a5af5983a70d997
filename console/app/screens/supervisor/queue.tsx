import type { ReactNode } from 'react';
import type { Refusals } from '../../graph/refusals';
import type { Answer } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Pager, type Paging } from '../../parts/pager';
import { NewsBar, newsOf } from './news';

interface Row {
  readonly id: string;
  readonly state: string;
}

interface Rows<Of extends Row> {
  readonly nodes: readonly Of[];
}

interface Page<Of extends Row> extends Rows<Of> {
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** What is shown of one changes with its state: both together say whether it is still as shown. */
const markOf = ({ id, state }: Row): string => `${id} ${state}`;

/**
 * A page of what waits or has happened, the newest first. It stands still as somebody reads; what is new is told above it, and what isn't any more as it is
 * shown is told to its own part.
 */
export const Queue = <Name extends string, Of extends Row>({
  name,
  label,
  list,
  now,
  paging,
  count,
  note,
  keyOf = ({ id }) => id,
  children,
}: {
  /** What both answers call it. */
  readonly name: Name;
  readonly label: string;
  readonly list: Answer<{ readonly [_ in Name]: Page<Of> }>;
  /** What the first page would be, asked for again and again. */
  readonly now: Answer<{ readonly [_ in Name]: Rows<Row> & { readonly pageInfo: { readonly hasNextPage: boolean } } }>;
  readonly paging: Paging;
  readonly count: (total: number) => string;
  readonly note?: (refusals: Refusals) => ReactNode;
  readonly keyOf?: (row: Of) => string;
  readonly children: (row: Of, refusals: Refusals, isGone: boolean) => ReactNode;
}) => {
  const found =
    paging.after === null
      ? newsOf(
          list,
          now,
          (data) => data[name].nodes.map(markOf),
          (data) => data[name].nodes.map(markOf),
          (data) => data[name].pageInfo.hasNextPage,
        )
      : null;
  const news = found && { ...found, fresh: found.fresh.map((mark) => mark.split(' ')[0] as string) };
  return (
    <Answered answer={list}>
      {({ [name]: { nodes, totalCount, pageInfo } }, refusals) => (
        <>
          <NewsBar
            news={news}
            isAsking={list.state === 'ready' && list.isRefreshing}
            show={() => {
              list.refresh();
              now.refresh();
            }}
          />
          <p>{count(totalCount)}</p>
          {note?.(refusals)}
          <ol className="queue" aria-label={label}>
            {nodes.map((row, at) => (
              <li key={keyOf(row)}>{children(row, refusals.below(name, 'nodes', at), news?.gone.has(markOf(row)) ?? false)}</li>
            ))}
          </ol>
          <Pager paging={paging} page={pageInfo} />
        </>
      )}
    </Answered>
  );
};
