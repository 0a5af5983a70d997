import { type FormEvent, useId, useRef, useState } from 'react';
import { Link } from 'wouter';
import {
  AlertList,
  type AlertListData,
  AlertNews,
  type AlertResolution,
  type AlertState,
  AlertsNow,
  ResolveAlert,
} from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { useAct, useGraph, useLive, useSoon } from '../../graph/use';
import { Choice } from '../../parts/choice';
import { type Fact, Facts } from '../../parts/facts';
import { RefusalNotice } from '../../parts/notices';
import { Outcome } from '../../parts/outcome';
import { Page } from '../../parts/page';
import { usePaging } from '../../parts/pager';
import { Foreign } from '../../parts/text';
import { pathTo } from '../../paths';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { TicketLink, When } from './about';
import { alertTexts, alertWords } from './alerts-texts';
import { headingOf } from './news';
import { Queue } from './queue';
import { words } from './words';

type Alert = AlertListData['alerts']['nodes'][number];
type Reason = NonNullable<Alert['reasons']>[number];

/** How often it is asked whether there is something else, in seconds: beside what is told as it happens. */
const askedEvery = 20;
/** Milliseconds: what is told within them is looked at together. */
const together = 500;
const day = 86_400_000;
const resolutions = ['TRUE', 'FALSE', 'UNSURE'] as const;
const snoozes = [0, 1, 7, 30] as const;
const choices = ['OPEN', 'RESOLVED', 'EXPIRED', 'all'] as const;
type Shown = (typeof choices)[number];

const useReason = (): ((reason: Reason) => string) => {
  const t = useText(alertTexts);
  const word = useText(alertWords);
  const common = useText(commonTexts);
  const { country } = useFormats();
  const span = (seconds: number): string =>
    seconds >= 172_800
      ? t('days', { count: Math.round(seconds / 86_400) })
      : seconds >= 3_600
        ? t('hours', { count: Math.round(seconds / 3_600) })
        : t('minutes', { count: Math.max(1, Math.round(seconds / 60)) });
  return ({ code, count, countries, windowSeconds }) => {
    if (code === null) return common('unknown');
    const fact = word(`reason${code}`, { count: count ?? 0 });
    const from = (countries ?? []).map(country).join(', ');
    const within = windowSeconds === null ? '' : ` ${t('within', { time: span(windowSeconds) })}`;
    return `${fact}${from === '' ? '' : ` (${from})`}${within}.`;
  };
};

const Resolve = ({ alert, look }: { readonly alert: Alert; readonly look: () => void }) => {
  const t = useText(alertTexts);
  const id = useId();
  const resolve = useAct(ResolveAlert);
  const [resolution, choose] = useState<AlertResolution | null>(null);
  const [days, chooseDays] = useState<number>(0);
  const [isWrong, setWrong] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  if (done !== null) return <Outcome>{done}</Outcome>;
  const maySnooze = resolution !== null && resolution !== 'TRUE' && alert.rule !== 'CONCERN';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWrong(resolution === null);
    if (resolution === null) {
      form.current?.querySelector('input')?.focus();
      return;
    }
    const snoozeUntil = maySnooze && days > 0 ? new Date(Date.now() + days * day - 60_000).toISOString() : null;
    const answer = await resolve.run({ input: { id: alert.id, resolution, snoozeUntil } });
    look();
    if (answer !== null) setDone(t('done', { resolution: t(`resolved${resolution}`) }));
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <fieldset aria-describedby={`${id}-problem`}>
        <legend>{t('resolve')}</legend>
        <p className="problem" id={`${id}-problem`} role="alert">
          {isWrong && resolution === null ? t('needsChoice') : null}
        </p>
        <div className="choices">
          {resolutions.map((each) => (
            <label key={each}>
              <input type="radio" name={id} checked={resolution === each} onChange={() => choose(each)} />
              <span>{t(`choose${each}`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {maySnooze ? (
        <div className="field">
          <label htmlFor={`${id}-snooze`}>{t('snooze')}</label>
          <select id={`${id}-snooze`} value={days} onChange={({ target }) => chooseDays(Number(target.value))}>
            {snoozes.map((each) => (
              <option key={each} value={each}>
                {each === 0 ? t('snoozeNo') : t('snoozeDays', { count: each })}
              </option>
            ))}
          </select>
        </div>
      ) : null}
      {resolve.refusal === null ? null : <RefusalNotice refusal={resolve.refusal} live />}
      <button type="submit" aria-disabled={resolve.isBusy}>
        {t('save')}
      </button>
    </form>
  );
};

const AlertCard = ({
  alert,
  refusals,
  hasChanged,
  look,
}: {
  readonly alert: Alert;
  readonly refusals: Refusals;
  readonly hasChanged: boolean;
  readonly look: () => void;
}) => {
  const t = useText(alertTexts);
  const word = useText(alertWords);
  const hold = useText(words);
  const reasonOf = useReason();
  const { id, state, rule, severity, raisedAt, expiresAt, endedAt, ticket, reasons, guidance, note, holds, resolution } = alert;
  const unread = refusals.of('Alert.rule');
  const isNotice = unread?.reason === 'NO_ASSISTANCE';
  const about = headingOf(id);
  const reference = ticket?.reference ?? '?';
  const title = isNotice
    ? t(ticket === null ? 'noticeNone' : 'notice', { reference })
    : t(ticket === null ? 'aboutNone' : 'about', { rule: rule === null ? t('title') : word(`rule${rule}`), reference });
  const content: readonly (Fact | null)[] = isNotice
    ? []
    : [
        {
          term: t('reasons'),
          is:
            (reasons ?? []).length === 0 ? (
              t('reasonsNone')
            ) : (
              <ul className="plain">
                {(reasons ?? []).map((reason) => (
                  <li key={reasonOf(reason)}>{reasonOf(reason)}</li>
                ))}
              </ul>
            ),
          refusal: refusals.of('Alert.reasons'),
        },
        note === null ? null : { term: t('note'), is: <Foreign text={note} /> },
        state !== 'OPEN'
          ? null
          : {
              term: t('guidance'),
              is: (
                <ol>{(guidance ?? []).map(({ code }) => (code === null ? null : <li key={code}>{word(`step${code}`)}</li>))}</ol>
              ),
              refusal: refusals.of('Alert.guidance'),
            },
        holds === null || holds.length === 0
          ? null
          : {
              term: t('holds'),
              is: (
                <ul className="plain">
                  {holds.map((each) => (
                    <li key={each.id}>{hold(`hold${each.state}`)}</li>
                  ))}
                </ul>
              ),
            },
        resolution === null ? null : { term: t('resolution'), is: t(`resolved${resolution}`) },
      ];
  return (
    <article className="sheet decided" aria-labelledby={about} data-state={state}>
      <h2 id={about} tabIndex={-1}>
        <span className={state === 'OPEN' ? 'tag warn' : 'tag'}>{t(state)}</span>
        {severity === null ? null : (
          <span className={severity === 'HIGH' ? 'tag wrong' : 'tag'}>{t('severity', { severity: t(severity) })}</span>
        )}{' '}
        {title}
      </h2>
      {isNotice ? (
        <p>
          {t('noticeWhy')}{' '}
          {ticket === null ? null : (
            <Link href={pathTo('ticket', { source: ticket.source, reference })}>{t('openTicket', { reference })}</Link>
          )}
        </p>
      ) : null}
      <Facts
        facts={[
          ...content,
          isNotice || ticket === null
            ? null
            : {
                term: t('ticket'),
                is: (
                  <>
                    <TicketLink ticket={ticket} /> {ticket.subject === null ? null : <Foreign text={ticket.subject} />}
                  </>
                ),
              },
          { term: t('raised'), is: <When at={raisedAt} /> },
          endedAt !== null
            ? { term: t('ended'), is: <When at={endedAt} /> }
            : expiresAt === null
              ? null
              : { term: t('ends'), is: <When at={expiresAt} /> },
        ]}
      />
      <div className="decision">
        {hasChanged ? <p className="notice warn">{t('changed')}</p> : null}
        {state === 'OPEN' && !isNotice ? <Resolve alert={alert} look={look} /> : null}
      </div>
    </article>
  );
};

/** Alerts on the reader's tickets, told as they come. */
export default () => {
  const t = useText(alertTexts);
  const [choice, choose] = useState<Shown>('OPEN');
  const paging = usePaging(choice);
  const filter = choice === 'all' ? null : { state: [choice] as readonly AlertState[] };
  const list = useGraph(AlertList, { filter, after: paging.after });
  const now = useGraph(AlertsNow, { filter }, { every: askedEvery, isLate: true, pause: paging.after !== null });
  const look = useSoon(together, now.refresh);
  const cursor = useRef<string | null>(null);
  const [updated, setUpdated] = useState<ReadonlyMap<string, number>>(new Map());
  const isRefused = list.state === 'refused';
  useLive(
    AlertNews,
    () => ({ after: cursor.current }),
    ({ alerts }) => {
      cursor.current = alerts.cursor;
      if (alerts.kind === 'UPDATED') setUpdated((before) => new Map([...before, [alerts.alertId, Date.now()]]));
      look();
    },
    isRefused,
  );
  const shownAt = list.state === 'ready' ? list.at.getTime() : 0;
  return (
    <Page title={t('title')}>
      <p>{t('intro')}</p>
      <div className="filters">
        <Choice
          label={t('which')}
          value={choice}
          options={choices.map((each) => ({ value: each, name: t(each) }))}
          choose={choose}
        />
      </div>
      <Queue
        name="alerts"
        label={t('title')}
        list={list}
        now={now}
        paging={paging}
        count={(total) => (total === 0 ? t('none') : t('count', { count: total }))}
      >
        {(alert, refusals, isGone) => (
          <AlertCard
            alert={alert}
            refusals={refusals}
            hasChanged={isGone || (updated.get(alert.id) ?? 0) > shownAt}
            look={now.refresh}
          />
        )}
      </Queue>
    </Page>
  );
};
