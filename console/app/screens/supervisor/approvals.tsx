import type { ReactNode } from 'react';
import { ApprovalQueue, type ApprovalQueueData, ApprovalsWaiting, type ApprovalsWaitingData } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { useGraph } from '../../graph/use';
import { Answered, RefusalNotice } from '../../parts/notices';
import { Page } from '../../parts/page';
import { useText } from '../../text/catalogue';
import { AccessCard, HoldCard, NotTheirs, UpdateCard } from './approval-cards';
import { approvalTexts } from './approvals-texts';
import { NewsBar, newsOf } from './news';
import { words } from './words';

/** How often it is asked whether there is something else, in seconds. */
const askedEvery = 10;

/** One thing in the queue. */
interface Item {
  readonly id: string;
  readonly at: string;
  readonly card: ReactNode;
}

const idsIn = ({ access, updates, holds, ownAccess, ownUpdates, proposed }: ApprovalsWaitingData): readonly string[] => [
  ...new Set(
    [access, updates.nodes, holds.nodes, ownAccess, ownUpdates.nodes, proposed.nodes].flatMap((list) => list.map(({ id }) => id)),
  ),
];

/** All that waits for a supervisor: access, updates and holds in one queue, oldest first; with one's own, which others decide about. */
export default () => {
  const t = useText(approvalTexts);
  const word = useText(words);
  const queue = useGraph(ApprovalQueue, {});
  const waiting = useGraph(ApprovalsWaiting, {}, { every: askedEvery, isLate: true });
  const news = newsOf(queue, waiting, idsIn, idsIn);
  const look = waiting.refresh;
  const itemsOf = (data: ApprovalQueueData, refusals: Refusals): { readonly items: readonly Item[]; readonly open: number } => {
    const isGone = (id: string) => news?.gone.has(id) ?? false;
    const decidable: readonly Item[] = [
      ...data.access.map((row, at) => ({
        id: row.id,
        at: row.requestedAt,
        card: <AccessCard row={row} refusals={refusals.below('access', at)} isGone={isGone(row.id)} look={look} />,
      })),
      ...data.updates.nodes.map((row, at) => ({
        id: row.id,
        at: row.confirmation?.at ?? row.createdAt,
        card: <UpdateCard row={row} refusals={refusals.below('updates', 'nodes', at)} isGone={isGone(row.id)} look={look} />,
      })),
      ...data.holds.nodes.map((row, at) => ({
        id: row.id,
        at: row.placedAt,
        card: <HoldCard row={row} refusals={refusals.below('holds', 'nodes', at)} isGone={isGone(row.id)} look={look} />,
      })),
    ];
    const known = new Set(decidable.map(({ id }) => id));
    const referenceOf = (ticket: { readonly reference: string } | null) => ticket?.reference ?? '?';
    const others: readonly Item[] = [
      ...data.ownAccess.map(({ id, requestedAt, expiresAt, ticket }) => ({
        id,
        at: requestedAt,
        card: (
          <NotTheirs
            id={id}
            kind="access"
            title={t('accessTo', { reference: referenceOf(ticket) })}
            at={requestedAt}
            expiresAt={expiresAt}
            isOwn
            isGone={isGone(id)}
          />
        ),
      })),
      ...data.ownUpdates.nodes.map(({ id, kind, createdAt, expiresAt, ticket }) => ({
        id,
        at: createdAt,
        card: (
          <NotTheirs
            id={id}
            kind="update"
            title={t('updateOf', { kind: word(`kind${kind}`), reference: referenceOf(ticket) })}
            at={createdAt}
            expiresAt={expiresAt}
            isOwn
            isGone={isGone(id)}
          />
        ),
      })),
      ...data.proposed.nodes.map(({ id, placedAt, expiresAt, ticket }) => ({
        id,
        at: placedAt,
        card: (
          <NotTheirs
            id={id}
            kind="hold"
            title={ticket === null ? t('holdOnNone') : t('holdOn', { reference: referenceOf(ticket) })}
            at={placedAt}
            expiresAt={expiresAt}
            isOwn={false}
            isGone={isGone(id)}
          />
        ),
      })),
    ].filter(({ id }) => !known.has(id));
    const items = [...decidable, ...others].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
    return { items, open: decidable.filter(({ id }) => !isGone(id)).length };
  };
  return (
    <Page title={t('title')}>
      <Answered answer={queue}>
        {(data, refusals) => {
          const { items, open } = itemsOf(data, refusals);
          // What is decided on is shown shortly after signing in, as it is decided then: said once, for all.
          const late = refusals.all.find(({ reason }) => reason === 'RECENT_LOGIN_REQUIRED') ?? null;
          const isMore = data.updates.totalCount > data.updates.nodes.length || data.holds.totalCount > data.holds.nodes.length;
          return (
            <>
              <NewsBar
                news={news}
                isAsking={queue.state === 'ready' && queue.isRefreshing}
                show={() => {
                  queue.refresh();
                  waiting.refresh();
                }}
              />
              {waiting.state === 'ready' && waiting.interrupted !== null ? (
                <Answered answer={waiting}>{() => null}</Answered>
              ) : null}
              {late === null ? null : <RefusalNotice refusal={late} />}
              <p>{open === 0 ? t('none') : t('waiting', { count: open })}</p>
              {isMore ? <p className="notice warn">{t('more')}</p> : null}
              <ol className="queue" aria-label={t('title')}>
                {items.map(({ id, card }) => (
                  <li key={id}>{card}</li>
                ))}
              </ol>
            </>
          );
        }}
      </Answered>
    </Page>
  );
};
