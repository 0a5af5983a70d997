import { Link } from 'wouter';
import { LogTrail, type LogTrailData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Time } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { placeOf } from './address';
import { Actor, Outcome, Stated, Subject } from './events-table';
import { EventLink, Facts } from './facts';
import { LogScreen } from './nav';
import { auditorTexts } from './texts';
import { Says } from './words';

type Step = LogTrailData['decisionTrail'][number];

const anchorOf = (eventId: string) => `step-${eventId}`;

/** What a step rests on: a step of this page, or something with a place of its own, or a name alone. */
const Ground = ({ id, steps }: { readonly id: string; readonly steps: ReadonlySet<string> }) => {
  const place = placeOf(id);
  if (steps.has(id)) return <a href={`#${anchorOf(id)}`}>{id}</a>;
  return place === null ? <Stated text={id} /> : <Link href={place}>{id}</Link>;
};

const Grounds = ({ ids, steps }: { readonly ids: readonly string[]; readonly steps: ReadonlySet<string> }) =>
  ids.length === 0 ? null : (
    <ul className="grounds mono">
      {ids.map((id) => (
        <li key={id}>
          <Ground id={id} steps={steps} />
        </li>
      ))}
    </ul>
  );

const words = (values: readonly string[]) => (values.length === 0 ? null : <Stated text={values.join(', ')} />);

const StepItem = ({ step, steps }: { readonly step: Step; readonly steps: ReadonlySet<string> }) => {
  const t = useText(auditorTexts);
  const { eventId, leafIndex, at, action, outcome, actor, subject, rule, version, counts, from, to, effects } = step;
  return (
    <li id={anchorOf(eventId)} className="sheet">
      <h2>
        {action} {outcome === 'DENIED' ? <Outcome outcome={outcome} /> : null}
      </h2>
      <p className="says">
        <Says action={action} />
      </p>
      {step.isAltered ? (
        <p className="notice refusal">
          <strong>{t('altered')}</strong>
        </p>
      ) : null}
      <Facts
        facts={[
          [t('time'), <Time key="at" at={at} zone="utc" seconds />],
          [t('actor'), <Actor key="actor" actor={actor} />],
          [t('about'), subject === null ? null : <Subject key="subject" subject={subject} />],
          [t('rule'), rule === null ? null : <Stated key="rule" text={version === null ? rule : `${rule} (${version})`} />],
          [t('state'), to === null ? null : <Stated key="to" text={from === null ? to : `${from} → ${to}`} />],
          [t('counted'), words(counts)],
          [t('effects'), words(effects)],
          [t('others'), step.otherCustomers === null ? null : <Stated key="others" text={step.otherCustomers} />],
          [t('restsOn'), step.restsOn.length === 0 ? null : <Grounds key="rests" ids={step.restsOn} steps={steps} />],
          [t('ledTo'), step.ledTo.length === 0 ? null : <Grounds key="led" ids={step.ledTo} steps={steps} />],
          [t('event'), <EventLink key="event" id={eventId} leafIndex={leafIndex} />],
        ]}
      />
    </li>
  );
};

/** What led to what about the payments of a ticket's or a payment's customer. */
export default ({ params: { id = '' } }: { readonly params: Readonly<Record<string, string>> }) => {
  const t = useText(auditorTexts);
  const answer = useGraph(LogTrail, id.startsWith('txn_') ? { transactionId: id } : { ticketId: id });
  return (
    <LogScreen title={t('trail')}>
      <p>
        {t('trailIntro')} <span className="mono">{id}</span>
      </p>
      <Answered answer={answer}>
        {({ decisionTrail: trail }) => {
          const steps = new Set(trail.map(({ eventId }) => eventId));
          if (trail.length === 0) return <p className="notice quiet">{t('noTrail')}</p>;
          return (
            <>
              {trail[0]?.isCut ? <p className="notice warn">{t('trailCut')}</p> : null}
              <ol className="trail" aria-label={t('trail')}>
                {trail.map((step) => (
                  <StepItem key={step.eventId} step={step} steps={steps} />
                ))}
              </ol>
            </>
          );
        }}
      </Answered>
    </LogScreen>
  );
};
