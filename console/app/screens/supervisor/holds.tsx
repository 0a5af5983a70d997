import { useId, useState } from 'react';
import { Link } from 'wouter';
import { ExtendHold, HoldList, type HoldListData, type HoldState, HoldsNow, ReleaseHold } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { useAct, useGraph } from '../../graph/use';
import { Choice } from '../../parts/choice';
import { Facts } from '../../parts/facts';
import { NotShown } from '../../parts/notices';
import { Page } from '../../parts/page';
import { usePaging } from '../../parts/pager';
import { Foreign } from '../../parts/text';
import { paths } from '../../paths';
import { useSession } from '../../session';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { Person, TicketLink, useZoned, When } from './about';
import { doing } from './doing';
import { Effects } from './effects';
import { holdTexts } from './holds-texts';
import { headingOf } from './news';
import { PlaceHold } from './place-hold';
import { Queue } from './queue';
import { WhyAction } from './why-action';
import { words } from './words';

type Hold = HoldListData['holds']['nodes'][number];

/** How often it is asked whether there is something else, in seconds. */
const askedEvery = 15;
const day = 86_400_000;
const hour = 3_600_000;

const choices: Readonly<Record<'open' | 'proposed' | 'ended' | 'all', readonly HoldState[] | null>> = {
  open: ['PROPOSED', 'PLACING', 'ACTIVE', 'RELEASING'],
  proposed: ['PROPOSED'],
  ended: ['RELEASED', 'REJECTED', 'EXPIRED', 'LAPSED', 'FAILED'],
  all: null,
};
type Shown = keyof typeof choices;

/** Later ends that a hold may be given: whole hours from its end, and the latest there is. */
const laterEnds = ({ placedAt, expiresAt }: Hold): readonly string[] => {
  const [from, latest] = [new Date(expiresAt).getTime(), new Date(placedAt).getTime() + day];
  const ends = [1, 2, 4, 8, 12].map((count) => from + count * hour).filter((at) => at < latest);
  return latest > from ? [...ends, latest].map((at) => new Date(at).toISOString()) : [];
};

const Extend = ({ hold, look }: { readonly hold: Hold; readonly look: () => void }) => {
  const t = useText(holdTexts);
  const { time } = useFormats();
  const id = useId();
  const extend = useAct(ExtendHold);
  const ends = laterEnds(hold);
  const [until, choose] = useState(ends[0] ?? '');
  if (ends.length === 0) return <p className="quiet">{t('noLater')}</p>;
  return (
    <WhyAction
      about={headingOf(hold.id)}
      open={t('extend')}
      label={t('extendWhy')}
      hint={t('kept')}
      submit={t('extendNow')}
      isBusy={extend.isBusy}
      refusal={extend.refusal}
      run={(reason) =>
        doing(extend, { id: hold.id, until, reason }, look, ({ extendHold: { expiresAt } }) =>
          t('extended', { time: time(expiresAt) }),
        )
      }
    >
      <div className="field">
        <label htmlFor={id}>{t('until')}</label>
        <p className="hint" id={`${id}-hint`}>
          {t('untilHint')}
        </p>
        <select id={id} value={until} aria-describedby={`${id}-hint`} onChange={({ target }) => choose(target.value)}>
          {ends.map((at) => (
            <option key={at} value={at}>
              {time(at)}
            </option>
          ))}
        </select>
      </div>
    </WhyAction>
  );
};

const Release = ({ id, look }: { readonly id: string; readonly look: () => void }) => {
  const t = useText(holdTexts);
  const word = useText(words);
  const release = useAct(ReleaseHold);
  return (
    <WhyAction
      about={headingOf(id)}
      open={t('release')}
      label={t('releaseWhy')}
      hint={t('kept')}
      submit={t('releaseNow')}
      isBusy={release.isBusy}
      refusal={release.refusal}
      run={(reason) =>
        doing(release, { id, reason }, look, ({ releaseHold: { state } }) => t('released', { state: word(`hold${state}`) }))
      }
    />
  );
};

const meant = { PROPOSED: true, PLACING: true, ACTIVE: true, RELEASING: true, FAILED: true } as const;

const HoldCard = ({
  hold,
  refusals,
  isGone,
  look,
}: {
  readonly hold: Hold;
  readonly refusals: Refusals;
  readonly isGone: boolean;
  readonly look: () => void;
}) => {
  const t = useText(holdTexts);
  const word = useText(words);
  const { money } = useFormats();
  const zoned = useZoned();
  const { roles } = useSession();
  const { id, state, ticket, cause, owner, reason, subject, moneyAtRisk, effects, placedAt, expiresAt, history } = hold;
  const unmoved = refusals.of('HoldTransition.reason');
  const said = word(`hold${state}`);
  const isSupervisor = roles.includes('SUPERVISOR');
  const works = isSupervisor || roles.includes('AGENT');
  const isPlaced = state === 'PLACING' || state === 'ACTIVE';
  const about = headingOf(id);
  return (
    <article className="sheet decided" aria-labelledby={about} data-state={state}>
      <h2 id={about} tabIndex={-1}>
        {ticket === null ? t('aboutNone', { state: said }) : t('about', { state: said, reference: ticket.reference })}
      </h2>
      {state in meant ? <p>{word(`hold${state as keyof typeof meant}Means`)}</p> : null}
      <Facts
        facts={[
          {
            term: t('effects'),
            is: <Effects effects={effects} refusals={refusals} isProposed={state === 'PROPOSED'} />,
          },
          { term: t('cause'), is: cause === null ? null : word(`cause${cause}`), refusal: refusals.of('Hold.cause') },
          owner === null ? null : { term: t('owner'), is: <Person person={owner} /> },
          {
            term: t('reason'),
            is: reason === null ? <span className="quiet">{t('noReason')}</span> : <Foreign text={reason} />,
            refusal: refusals.of('Hold.reason'),
          },
          {
            term: t('covers'),
            is: subject === null ? null : subject.customers === null ? word(`subject${subject.kind}`) : word('subjectMany'),
          },
          {
            term: t('money'),
            is: moneyAtRisk === null ? t('moneyUnknown') : money(moneyAtRisk),
            refusal: refusals.of('Hold.moneyAtRisk'),
          },
          {
            term: t('ticket'),
            is: ticket === null ? t('noTicket') : <TicketLink ticket={ticket} />,
            refusal: refusals.of('Ticket.id'),
          },
          { term: t('placed'), is: <When at={placedAt} /> },
          { term: t('ends'), is: <When at={expiresAt} /> },
        ]}
      />
      <details>
        <summary>{t('history')}</summary>
        <ol>
          {(history ?? []).map((move) => (
            <li key={`${move.at} ${move.to}`}>
              {zoned(move.at)}:{' '}
              {move.from === null
                ? t('began', { to: word(`hold${move.to}`) })
                : t('move', { from: word(`hold${move.from}`), to: word(`hold${move.to}`) })}
              {move.by === null ? null : (
                <>
                  {' '}
                  (<Foreign text={t('by', { who: move.by.displayName })} />)
                </>
              )}
              {move.reason === null ? null : `, ${word(`move${move.reason}`)}`}
            </li>
          ))}
        </ol>
        {unmoved === null ? null : (
          <p>
            {t('moveReasons')}: <NotShown refusal={unmoved} />
          </p>
        )}
      </details>
      <div className="decision">
        {isGone ? <p className="notice warn">{t('changed')}</p> : null}
        {works && isPlaced && !isSupervisor && cause !== 'AGENT' ? <p className="quiet">{t('supervisors')}</p> : null}
        {isPlaced && (isSupervisor || (works && cause === 'AGENT')) ? (
          <div className="actions">
            <Release id={id} look={look} />
            {isSupervisor ? <Extend hold={hold} look={look} /> : null}
          </div>
        ) : null}
        {state === 'PROPOSED' && isSupervisor ? (
          <p>
            <Link href={paths.approvals}>{t('inApprovals')}</Link>
          </p>
        ) : null}
      </div>
    </article>
  );
};

/** Holds: what waits, how far that is, and its end. */
export default () => {
  const t = useText(holdTexts);
  const { roles } = useSession();
  const [choice, choose] = useState<Shown>('open');
  const paging = usePaging(choice);
  const states = choices[choice];
  const filter = states === null ? null : { state: states };
  const list = useGraph(HoldList, { filter, after: paging.after });
  const now = useGraph(HoldsNow, { filter }, { every: askedEvery, isLate: true, pause: paging.after !== null });
  const show = () => {
    list.refresh();
    now.refresh();
  };
  return (
    <Page title={t('title')}>
      <p>{t('intro')}</p>
      {roles.includes('AGENT') || roles.includes('SUPERVISOR') ? <PlaceHold look={show} /> : null}
      <div className="filters">
        <Choice
          label={t('which')}
          value={choice}
          options={(Object.keys(choices) as readonly Shown[]).map((each) => ({ value: each, name: t(each) }))}
          choose={choose}
        />
      </div>
      <Queue
        name="holds"
        label={t('title')}
        list={list}
        now={now}
        paging={paging}
        count={(total) => (total === 0 ? t('none') : t('count', { count: total }))}
        note={(refusals) =>
          refusals.of('Hold.effects')?.reason === 'ROLE' ? <p className="notice warn">{t('notShown')}</p> : null
        }
      >
        {(hold, refusals, isGone) => <HoldCard hold={hold} refusals={refusals} isGone={isGone} look={now.refresh} />}
      </Queue>
    </Page>
  );
};
