import { lazy, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { AgentPanel, type AgentPanelData, PanelAccess, PanelAlerts, PanelCover, PanelPulse } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { useGraph, useLive, useSoon } from '../../graph/use';
import { Answered, Later, RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { useNow } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { closed } from '../../text/isolated';
import { type End, Live, useEndAt } from './access';
import { Actions } from './actions';
import { Alerts } from './alerts';
import { Messages } from './messages';
import { Methods } from './methods';
import { Payments, Telling } from './payments';
import { isStanding } from './pending';
import {
  type Attempts,
  type Customer,
  type Shown,
  ShownContext,
  shownTypes,
  type Ticket,
  useShown,
  Value,
  type Viewer,
} from './shown';
import { agentTexts } from './texts';
import { Updates } from './updates';

const Closed = lazy(() => import('./closed'));
const Holds = lazy(() => import('./holds'));

/** What outlives what is shown. */
type Kept = Pick<Shown, 'announce' | 'drafts' | 'attempts' | 'isFrame'>;

/** Milliseconds for which an outcome is in view. What it tells of stays. */
const shownFor = 8_000;

/** Seconds after which it is looked whether something has moved. */
const pulse = 20;

/** Milliseconds: alerts that come within them are told together. */
const together = 500;

const Head = ({ ticket }: { readonly ticket: Ticket }) => {
  const t = useText(agentTexts);
  const { relative } = useFormats();
  const now = useNow();
  const { subject, reference, assignee, freshness } = ticket;
  return (
    <div className="ticket">
      <p className="subject">
        <Value field="Ticket.subject" of={subject} isEmpty={subject === ''}>
          {(text) => <Foreign text={text} />}
        </Value>
      </p>
      <p className="quiet">
        {t('ticketOf', { reference })}
        {assignee === null ? `, ${t('unassigned')}` : null}
      </p>
      {freshness.stale ? (
        <p className="notice stale">
          {freshness.confirmedAt === null ? t('staleNever') : t('stale', { ago: relative(freshness.confirmedAt, now) })}
        </p>
      ) : null}
    </div>
  );
};

const About = ({ customer }: { readonly customer: Customer }) => {
  const t = useText(agentTexts);
  const { country, relative } = useFormats();
  const now = useNow();
  const { displayName, email, phone, region, link, paymentsFreshness } = customer;
  const tone = link === 'VERIFIED' ? 'good' : link === 'MATCHED' ? 'warn' : 'quiet';
  return (
    <section className="sheet" aria-labelledby="panel-customer">
      <h2 id="panel-customer">
        <Value field="Customer.displayName" of={displayName}>
          {(name) => <Foreign text={name} />}
        </Value>
      </h2>
      <Value field="Customer.link" of={link}>
        {(word) => (
          <p className={`notice ${tone}`}>
            {t(`link${word}`)} {word === 'NONE' ? t('linkHelp') : null}
          </p>
        )}
      </Value>
      <dl className="facts">
        <div>
          <dt>{t('email')}</dt>
          <dd>
            <Value field="Customer.email" of={email}>
              {(text) => <Foreign text={text} />}
            </Value>
          </dd>
        </div>
        <div>
          <dt>{t('phone')}</dt>
          <dd>
            <Value field="Customer.phone" of={phone}>
              {(text) => <bdi dir="ltr">{closed(text)}</bdi>}
            </Value>
          </dd>
        </div>
        <div>
          <dt>{t('region')}</dt>
          <dd>
            <Value field="Customer.region" of={region}>
              {country}
            </Value>
          </dd>
        </div>
      </dl>
      {paymentsFreshness?.stale ? (
        <p className="notice stale">
          {paymentsFreshness.confirmedAt === null
            ? t('staleNever')
            : t('paymentsStale', { ago: relative(paymentsFreshness.confirmedAt, now) })}
        </p>
      ) : null}
    </section>
  );
};

/** Looks for what moves by itself: news of alerts at once, everything else, and the end of the access elsewhere, with the pulse. */
const Following = ({
  ticket: { id, alerts, assistance, credentialUpdates },
  customer,
  onEnd,
}: {
  readonly ticket: Ticket;
  readonly customer: Customer;
  readonly onEnd: (end: End) => void;
}) => {
  const t = useText(agentTexts);
  const { refresh, announce } = useShown();
  const isLive = assistance?.state === 'LIVE';
  const cursor = useRef<string | null>(null);
  const look = useSoon(together, () => {
    announce(t('alertNew'));
    refresh();
  });
  useLive(
    PanelAlerts,
    () => ({ ticketId: id, after: cursor.current }),
    ({ alerts: event }) => {
      cursor.current = event.cursor;
      look();
    },
  );
  const answer = useGraph(PanelPulse, { ticketId: id }, { every: pulse, isLate: true });
  const told = answer.state === 'ready' ? answer : null;
  // Where a list isn't for the reader, or isn't any more, its denial takes the whole answer with it: then the access is asked about alone.
  const denied = (answer.state === 'refused' ? answer.refusal : told?.interrupted)?.code === 'DENIED';
  const [isAlone, setAlone] = useState(false);
  useEffect(() => {
    if (denied) setAlone(true);
  }, [denied]);
  const access = useGraph(PanelAccess, { ticketId: id }, { every: pulse, pause: !isAlone });
  const known = isAlone ? (access.state === 'ready' ? access : null) : told;
  const isOver = isLive && known !== null && known.data.viewer.assistance?.state !== 'LIVE';
  // Where the customer is shown under an access on another ticket, there is none here to end: it is asked whether they are shown at all.
  const cover = useGraph(PanelCover, { id: customer.id }, { every: pulse, isLate: true, pause: isLive });
  const isUncovered = !isLive && cover.state === 'ready' && cover.refusals.first?.code === 'NOT_FOUND';
  const states = (list: readonly { readonly id: string; readonly state?: string }[]) =>
    list
      .map(({ id: of, state = '' }) => `${of} ${state}`)
      .sort()
      .join();
  const shown = `${states(credentialUpdates ?? [])};${(alerts ?? []).map((each) => each.id).sort()}`;
  const now = told && `${states(told.data.credentialUpdates.nodes)};${told.data.alerts.nodes.map((each) => each.id).sort()}`;
  const asked = useRef<string | null>(null);
  useEffect(() => {
    if (isOver) onEnd('ELSEWHERE');
  }, [isOver, onEnd]);
  useEffect(() => {
    if (isUncovered) refresh();
  }, [isUncovered, refresh]);
  useEffect(() => {
    // Once for what is new: where it doesn't come with a refresh, it isn't for this panel.
    if (now === null || isOver || now === shown || asked.current === now) return;
    asked.current = now;
    refresh();
  }, [now, shown, isOver, refresh]);
  return null;
};

const Opened = ({
  ticket,
  customer,
  isTrusted,
  onEnd,
}: {
  readonly ticket: Ticket;
  readonly customer: Customer;
  /** The end of the access was yet to come when it was told: this machine's clock says nothing to the contrary. */
  readonly isTrusted: boolean;
  readonly onEnd: (end: End) => void;
}) => {
  const { assistance } = ticket;
  const live = assistance?.state === 'LIVE' ? assistance : null;
  useEndAt(live !== null && isTrusted ? live.expiresAt : null, () => onEnd('TIME'));
  const payments = customer.transactions?.nodes ?? [];
  return (
    <>
      <Following ticket={ticket} customer={customer} onEnd={onEnd} />
      {live === null ? null : <Live assistance={live} isTrusted={isTrusted} onEnd={onEnd} />}
      <Alerts of={ticket.alerts} />
      <div className="panel-columns">
        <div>
          <Telling of={customer.transactions} />
          <About customer={customer} />
          <Updates of={ticket.credentialUpdates} />
          <Methods of={customer.paymentMethods} />
          {ticket.holds === null || ticket.holds.some((hold) => isStanding(hold.state)) ? (
            <Later>
              <Holds of={ticket.holds} />
            </Later>
          ) : null}
        </div>
        <div>
          <Payments of={customer.transactions} questions={ticket.recognitions ?? []} />
          <Actions payments={payments} />
          <Messages />
        </div>
      </div>
    </>
  );
};

const Shows = ({
  data: { viewer, ticketByReference: ticket },
  refusals,
  at,
  refresh,
  onEnd,
  common,
}: {
  readonly data: AgentPanelData & { readonly viewer: Viewer };
  readonly refusals: Refusals;
  readonly at: Date;
  readonly refresh: () => void;
  readonly onEnd: (end: End) => void;
  readonly common: Kept;
}) => {
  const t = useText(agentTexts);
  const customer = ticket?.customer ?? null;
  const ticketId = ticket?.id ?? '';
  const link = customer?.link ?? 'NONE';
  const shown = useMemo(
    () => ({ ...common, ticketId, link, refusals, withheld: viewer.withheld, refresh }),
    [common, ticketId, link, refusals, viewer, refresh],
  );
  if (ticket === null) {
    const refusal = refusals.at('ticketByReference') ?? refusals.first;
    return refusal === null ? null : <RefusalNotice refusal={refusal} />;
  }
  const closed = refusals.of('Ticket.customer');
  const until = ticket.assistance?.state === 'LIVE' ? ticket.assistance.expiresAt : null;
  return (
    <ShownContext.Provider value={shown}>
      <Head ticket={ticket} />
      {customer !== null ? (
        <Opened
          ticket={ticket}
          customer={customer}
          isTrusted={until !== null && new Date(until).getTime() > at.getTime()}
          onEnd={onEnd}
        />
      ) : closed !== null ? (
        <Later>
          <Closed assistance={ticket.assistance} refusal={closed} />
        </Later>
      ) : (
        <>
          <p className="notice quiet">{t('noCustomer')}</p>
          <Messages />
        </>
      )}
    </ShownContext.Provider>
  );
};

interface Given {
  readonly source: string;
  readonly reference: string;
}

const Asked = ({ source, reference, onEnd, common }: Given & { readonly onEnd: (end: End) => void; readonly common: Kept }) => {
  const t = useText(agentTexts);
  const { time } = useFormats();
  const answer = useGraph(AgentPanel, { source, reference, types: shownTypes });
  return (
    <>
      <Answered answer={answer}>
        {(data, refusals) => (
          <Shows
            data={data}
            refusals={refusals}
            at={answer.state === 'ready' ? answer.at : new Date()}
            refresh={answer.refresh}
            onEnd={onEnd}
            common={common}
          />
        )}
      </Answered>
      {answer.state === 'ready' ? (
        <p className="as-of quiet">
          {t('asOf', { time: time(answer.at.toISOString()) })}{' '}
          <button type="button" className="small" aria-disabled={answer.isRefreshing} onClick={answer.refresh}>
            {t('refresh')}
          </button>
        </p>
      ) : null}
    </>
  );
};

const Ended = ({ how, reopen }: { readonly how: End; readonly reopen: () => void }) => {
  const t = useText(agentTexts);
  const heading = useRef<HTMLHeadingElement>(null);
  // What had the focus has gone with the rest.
  useEffect(() => {
    if (document.activeElement === null || document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <section className="sheet" aria-labelledby="panel-ended">
      <h2 id="panel-ended" ref={heading} tabIndex={-1}>
        {t('endedTitle')}
      </h2>
      <p>{t(`ended${how}`)}</p>
      <button type="button" onClick={reopen}>
        {t('reopen')}
      </button>
    </section>
  );
};

/**
 * What an agent sees of a ticket's customer, beside the ticket: by the helpdesk's number alone, without a router or anything around it. What it
 * showed under an access goes with that access.
 */
export const Panel = ({ source, reference, isFrame = false }: Given & { readonly isFrame?: boolean }) => {
  const t = useText(agentTexts);
  const [ended, setEnded] = useState<End | null>(null);
  const [said, say] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const kept = useRef({ drafts: new Map<string, string>(), attempts: new Map() as Attempts });
  const announce = useCallback((text: string) => {
    // The same words once more are said once more.
    say('');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      say(text);
      timer.current = setTimeout(() => say(''), shownFor);
    }, 50);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  const common = useMemo(() => ({ announce, isFrame, ...kept.current }), [announce, isFrame]);
  const onEnd = useCallback(
    (end: End) => {
      setEnded(end);
      announce(`${t('endedTitle')}. ${t(`ended${end}`)}`);
    },
    [announce, t],
  );
  return (
    <div className="panel">
      {ended === null ? (
        <Asked source={source} reference={reference} onEnd={onEnd} common={common} />
      ) : (
        <Ended how={ended} reopen={() => setEnded(null)} />
      )}
      <p className={said === '' ? 'visually-hidden' : 'outcome'} role="status">
        {said}
      </p>
    </div>
  );
};
