import { Link } from 'wouter';
import type { ApprovalQueueData } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import type { Fact } from '../../parts/facts';
import { Foreign } from '../../parts/text';
import { Time, useNow } from '../../parts/time';
import { pathTo } from '../../paths';
import { useSession } from '../../session';
import { catalogue, useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { words } from './words';

const texts = catalogue(
  {
    ticket: 'Ticket',
    noTicket: 'On no ticket',
    outside: 'This ticket isn’t yours to see.',
    subject: 'Subject',
    noSubject: 'None',
    state: 'State',
    came: 'Came',
    cameBy: '{when} by {channel}',
    typedBy: 'Typed by',
    typedOutside: 'Came from outside, or nobody knows who of the staff typed it',
    customerSetBy: 'Its customer was set by',
    customerSetByNobody: 'Nobody of the staff',
    isAsker: 'who asks now',
    assignee: 'Assigned to',
    nobody: 'Nobody',
    until: 'Until',
    unknownPerson: 'Somebody whom this helpdesk doesn’t know',
  },
  {
    ticket: 'Ticket',
    noTicket: 'Zu keinem Ticket',
    outside: 'Dieses Ticket dürfen Sie nicht sehen.',
    subject: 'Betreff',
    noSubject: 'Keiner',
    state: 'Stand',
    came: 'Eingang',
    cameBy: '{when} über {channel}',
    typedBy: 'Getippt von',
    typedOutside: 'Kam von außen, oder niemand weiß, wer es getippt hat',
    customerSetBy: 'Kundin oder Kunde gesetzt von',
    customerSetByNobody: 'Niemandem aus der Belegschaft',
    isAsker: 'fragt jetzt an',
    assignee: 'Zugewiesen an',
    nobody: 'Niemanden',
    until: 'Bis',
    unknownPerson: 'Jemand, den dieses Helpdesk nicht kennt',
  },
);

export type DecidedTicket = NonNullable<ApprovalQueueData['access'][number]['ticket']>;
export type DecidedPerson = NonNullable<ApprovalQueueData['access'][number]['requestedBy']>;

export const Person = ({ person, asker }: { readonly person: DecidedPerson | null; readonly asker?: string | undefined }) => {
  const t = useText(texts);
  if (person === null) return <em>{t('unknownPerson')}</em>;
  return (
    <>
      <Foreign text={person.displayName} />
      {asker === person.id ? <span className="tag warn">{t('isAsker')}</span> : null}
    </>
  );
};

/** Times with their zone: for auditors, who compare them with logs, UTC. */
export const useZoned = (): ((at: string) => string) => {
  const { time } = useFormats();
  const zone = useSession().roles.includes('AUDITOR') ? 'utc' : 'local';
  return (at) => time(at, zone);
};

/** A point in time, and how far it is. */
export const When = ({ at }: { readonly at: string }) => {
  const zoned = useZoned();
  const { relative } = useFormats();
  const now = useNow();
  return (
    <time dateTime={at}>
      {relative(at, now)} <span className="quiet">({zoned(at)})</span>
    </time>
  );
};

export const TicketLink = ({
  ticket: { source, reference },
}: {
  readonly ticket: Pick<DecidedTicket, 'source' | 'reference'>;
}) => (
  <Link href={pathTo('ticket', { source, reference })}>
    <Foreign text={reference} />
  </Link>
);

/** What a ticket says about how it came to be: `asker` is who wants something now, and is pointed out where they made it themselves. */
export const useTicketFacts = (): ((
  ticket: DecidedTicket | null,
  refusals: Refusals,
  options?: { readonly asker?: string | undefined; readonly isOnNone?: boolean },
) => readonly Fact[]) => {
  const t = useText(texts);
  const word = useText(words);
  const common = useText(commonTexts);
  const { relative } = useFormats();
  return (ticket, refusals, { asker, isOnNone = false } = {}) => {
    if (ticket === null)
      return [{ term: t('ticket'), is: isOnNone ? t('noTicket') : t('outside'), refusal: refusals.of('Ticket.id') }];
    const { subject, status, channel, createdAt, createdBy, customerSetBy, assignee } = ticket;
    const came = channel === null ? null : word(channel);
    return [
      { term: t('ticket'), is: <TicketLink ticket={ticket} /> },
      {
        term: t('subject'),
        is: subject ? <Foreign text={subject} /> : t('noSubject'),
        refusal: refusals.of('Ticket.subject'),
      },
      { term: t('state'), is: status === null ? common('unknown') : word(status) },
      {
        term: t('came'),
        is:
          createdAt === null ? (
            (came ?? common('unknown'))
          ) : (
            <>
              {t('cameBy', { when: relative(createdAt, Date.now()), channel: came ?? common('unknown') })}{' '}
              <span className="quiet">
                (<Time at={createdAt} />)
              </span>
            </>
          ),
      },
      {
        term: t('typedBy'),
        is: createdBy === null ? t('typedOutside') : <Person person={createdBy} asker={asker} />,
      },
      {
        term: t('customerSetBy'),
        is:
          customerSetBy === null ? (
            common('unknown')
          ) : customerSetBy.length === 0 ? (
            t('customerSetByNobody')
          ) : (
            <ul className="plain">
              {customerSetBy.map((person) => (
                <li key={person.id}>
                  <Person person={person} asker={asker} />
                </li>
              ))}
            </ul>
          ),
      },
      { term: t('assignee'), is: assignee === null ? t('nobody') : <Person person={assignee} asker={asker} /> },
    ];
  };
};
