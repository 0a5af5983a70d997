import { useSearch } from 'wouter';
import { WhoSaw } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered, RefusalNotice } from '../../parts/notices';
import { Pager, usePaging } from '../../parts/pager';
import { Table } from '../../parts/table';
import { Time } from '../../parts/time';
import { Who } from '../../parts/who';
import { useText } from '../../text/catalogue';
import { filtersIn, isCustomer } from './address';
import { Actor, RowsChecked } from './events-table';
import { EventLink, ShownFields } from './facts';
import { LogScreen } from './nav';
import { notFound } from './not-found';
import { auditorTexts } from './texts';

/** Who was shown what about a customer. */
const Disclosures = ({
  id,
  from,
  before,
}: {
  readonly id: string;
  readonly from: string | null;
  readonly before: string | null;
}) => {
  const t = useText(auditorTexts);
  const paging = usePaging(id);
  const answer = useGraph(WhoSaw, { customerId: id, from, before, after: paging.after });
  return (
    <Answered answer={answer}>
      {({ disclosures: { nodes, totalCount, pageInfo, rowsCheckedTo, rowFindings } }, refusals) => (
        <>
          <RowsChecked to={rowsCheckedTo} findings={rowFindings} />
          <Table
            caption={t('disclosuresCaption', { count: totalCount })}
            empty={t('noDisclosures')}
            rows={nodes}
            keyOf={(event) => event.id}
            columns={[
              { key: 'time', title: t('time'), cell: ({ at }) => <Time at={at} zone="utc" seconds /> },
              { key: 'actor', title: t('actor'), cell: ({ actor }) => <Actor actor={actor} /> },
              {
                key: 'fields',
                title: t('fields'),
                cell: ({ disclosedFields }) => (
                  <ShownFields fields={disclosedFields} refusal={refusals.of('AuditEvent.disclosedFields')} />
                ),
              },
              { key: 'event', title: t('event'), cell: (event) => <EventLink id={event.id} leafIndex={event.leafIndex} /> },
            ]}
          />
          <Who key={nodes[0]?.id} ids={nodes.flatMap(({ actor }) => (actor === null ? [] : [actor.id]))} />
          <Pager paging={paging} page={pageInfo} />
        </>
      )}
    </Answered>
  );
};

export default ({ params: { id = '' } }: { readonly params: Readonly<Record<string, string>> }) => {
  const t = useText(auditorTexts);
  const { from = null, before = null } = filtersIn(useSearch());
  return (
    <LogScreen title={t('whoSaw')}>
      <p>
        {t('whoSawIntro')} <span className="mono">{isCustomer(id) ? id : null}</span>
      </p>
      {isCustomer(id) ? <Disclosures key={id} id={id} from={from} before={before} /> : <RefusalNotice refusal={notFound} />}
    </LogScreen>
  );
};
