import { Link } from 'wouter';
import { TicketList } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Pager, usePaging } from '../../parts/pager';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { Ago } from '../../parts/time';
import { pathTo } from '../../paths';
import { useText } from '../../text/catalogue';
import { ticketTexts } from './texts';

/** The tickets somebody works with. Opening one is what begins an assistance, never this list. */
export default () => {
  const t = useText(ticketTexts);
  const paging = usePaging();
  const answer = useGraph(TicketList, { after: paging.after }, { every: 30 });
  return (
    <Page title={t('title')}>
      <Answered answer={answer}>
        {({ tickets: { nodes, pageInfo, totalCount } }) => (
          <>
            <Table
              caption={t('caption', { count: totalCount })}
              empty={t('none')}
              rows={nodes}
              keyOf={({ id }) => id}
              columns={[
                {
                  key: 'reference',
                  title: t('reference'),
                  cell: ({ source, reference }) => <Link href={pathTo('ticket', { source, reference })}>{reference}</Link>,
                },
                {
                  key: 'subject',
                  title: t('subject'),
                  cell: ({ subject }) => (subject ? <Foreign text={subject} /> : <em>{t('noSubject')}</em>),
                },
                {
                  key: 'status',
                  title: t('status'),
                  cell: ({ status, freshness }) => (
                    <>
                      {status === null ? null : t(status)}
                      {freshness.stale ? <span className="tag warn">{t('stale')}</span> : null}
                    </>
                  ),
                },
                { key: 'updated', title: t('updated'), cell: ({ updatedAt }) => (updatedAt ? <Ago at={updatedAt} /> : null) },
              ]}
            />
            <Pager paging={paging} page={pageInfo} />
          </>
        )}
      </Answered>
    </Page>
  );
};
