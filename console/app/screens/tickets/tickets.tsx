import { Link, useSearchParams } from 'wouter';
import { type TicketFilter, TicketList, type TicketStatus } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Choice, type Option } from '../../parts/choice';
import { Answered, RefusalNotice } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Pager, usePaging } from '../../parts/pager';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { Ago } from '../../parts/time';
import { pathTo } from '../../paths';
import { useSession } from '../../session';
import { useText } from '../../text/catalogue';
import { ticketTexts } from './texts';

const statuses = ['NEW', 'OPEN', 'PENDING', 'RESOLVED', 'CLOSED'] as const satisfies readonly TicketStatus[];
/** On which work goes on. */
const open = statuses.slice(0, 3);

/** What is chosen stands in the address as a word of a closed list: a team by its place among one's own, never by its name. */
const useChoice = (name: string, values: readonly string[], otherwise: string) => {
  const [search, setSearch] = useSearchParams();
  const given = search.get(name);
  return {
    value: given !== null && values.includes(given) ? given : otherwise,
    choose: (value: string) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === otherwise) after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
  };
};

/** The tickets somebody works with. Opening one is what begins an assistance, never this list. */
export default () => {
  const t = useText(ticketTexts);
  const { roles, teams } = useSession();
  const ofTeam = teams.map((team, at) => ({ value: `team-${at + 1}`, name: t('whoseTeam', { team }), team }));
  const whoseChoices: readonly Option<string>[] = [
    { value: 'mine', name: t('whoseMine') },
    ...ofTeam,
    { value: 'all', name: t('whoseAll') },
  ];
  const stateChoices: readonly Option<string>[] = [
    { value: 'open', name: t('stateOpen') },
    ...statuses.map((status) => ({ value: status.toLowerCase(), name: t(status) })),
    { value: 'all', name: t('stateAll') },
  ];
  const values = (choices: readonly Option<string>[]) => choices.map(({ value }) => value);
  const whose = useChoice('whose', values(whoseChoices), roles.includes('SUPERVISOR') ? 'all' : 'mine');
  const state = useChoice('state', values(stateChoices), 'open');
  const status = statuses.filter((each) => each.toLowerCase() === state.value);
  const team = ofTeam.find(({ value }) => value === whose.value)?.team;
  const filter: TicketFilter = {
    ...(whose.value === 'mine' ? { assignedToMe: true } : {}),
    ...(team === undefined ? {} : { team }),
    ...(state.value === 'open' ? { status: open } : status.length > 0 ? { status } : {}),
  };
  const paging = usePaging(`${whose.value} ${state.value}`);
  const answer = useGraph(TicketList, { filter, after: paging.after }, { every: 30 });
  return (
    <Page title={t('title')}>
      <search className="filters" aria-label={t('filter')}>
        <Choice label={t('whose')} options={whoseChoices} {...whose} />
        <Choice label={t('state')} options={stateChoices} {...state} />
      </search>
      <Answered answer={answer}>
        {({ tickets: { nodes, pageInfo, totalCount } }, refusals) => {
          const untold = refusals.of('Ticket.alerts');
          return (
            <>
              {untold === null ? null : <RefusalNotice refusal={untold} />}
              <Table
                caption={t('caption', { count: totalCount })}
                empty={t('none')}
                rows={nodes}
                keyOf={({ id }) => id}
                columns={[
                  {
                    key: 'reference',
                    title: t('reference'),
                    cell: ({ source, reference }) => (
                      <Link href={pathTo('ticket', { source, reference })}>
                        <Foreign text={reference} />
                      </Link>
                    ),
                  },
                  {
                    key: 'subject',
                    title: t('subject'),
                    cell: ({ subject, alerts }) => (
                      <>
                        {subject ? <Foreign text={subject} /> : <em>{t('noSubject')}</em>}
                        {alerts === null || alerts.length === 0 ? null : (
                          <span className="tag wrong">{t('alert', { count: alerts.length })}</span>
                        )}
                      </>
                    ),
                  },
                  {
                    key: 'status',
                    title: t('status'),
                    cell: ({ status: now, freshness }) => (
                      <>
                        {now === null ? null : t(now)}
                        {freshness.stale ? <span className="tag warn">{t('stale')}</span> : null}
                      </>
                    ),
                  },
                  ...(whose.value === 'mine'
                    ? []
                    : [
                        {
                          key: 'assignee',
                          title: t('assignee'),
                          cell: ({ assignee }: (typeof nodes)[number]) =>
                            assignee === null ? t('nobody') : <Foreign text={assignee.displayName} />,
                        },
                      ]),
                  { key: 'updated', title: t('updated'), cell: ({ updatedAt }) => (updatedAt ? <Ago at={updatedAt} /> : null) },
                ]}
              />
              <Pager paging={paging} page={pageInfo} />
            </>
          );
        }}
      </Answered>
    </Page>
  );
};
