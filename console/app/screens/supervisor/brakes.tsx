import { BrakeList, type BrakeListData, BrakesNow, ReleaseBrake, type Role } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { useAct, useGraph } from '../../graph/use';
import { Facts } from '../../parts/facts';
import { Page } from '../../parts/page';
import { usePaging } from '../../parts/pager';
import { Foreign } from '../../parts/text';
import { Who as WhoAsked } from '../../parts/who';
import { useSession } from '../../session';
import { useText } from '../../text/catalogue';
import { useZoned, When } from './about';
import { brakeTexts } from './brakes-texts';
import { doing } from './doing';
import { headingOf } from './news';
import { Queue } from './queue';
import { WhyAction } from './why-action';
import { words } from './words';

type Brake = BrakeListData['brakes']['nodes'][number];

/** How often it is asked whether there is something else, in seconds. */
const askedEvery = 15;

/** Whose role looks up names, in the policy that ships; each look-up is on record. */
const looksUpNames: readonly Role[] = ['AUDITOR', 'PRIVACY'];

/** Somebody under our own id for them. */
const Who = ({ id }: { readonly id: string }) => {
  const t = useText(brakeTexts);
  return useSession().id === id ? <strong>{t('you')}</strong> : <code>{id}</code>;
};

const BrakeCard = ({
  brake,
  refusals,
  isGone,
  look,
}: {
  readonly brake: Brake;
  readonly refusals: Refusals;
  readonly isGone: boolean;
  readonly look: () => void;
}) => {
  const t = useText(brakeTexts);
  const word = useText(words);
  const zoned = useZoned();
  const { id: me, roles } = useSession();
  const release = useAct(ReleaseBrake);
  const { id, actorId, level, rule, state, placedAt, proposedBy, proposedAt, releasedBy, releasedAt } = brake;
  const isSecond = state === 'PROPOSED';
  const about = headingOf(id);
  const act = {
    about,
    isBusy: release.isBusy,
    refusal: release.refusal,
    run: (reason: string) =>
      doing(release, { id, reason }, look, (done) => t(done.releaseBrake.state === 'RELEASED' ? 'releasedDone' : 'askedDone')),
  };
  return (
    <article className="sheet decided" aria-labelledby={about} data-state={state}>
      <h2 id={about} tabIndex={-1}>
        <span className={state === 'RELEASED' ? 'tag' : 'tag warn'}>{t(state)}</span>{' '}
        {actorId === me ? t('aboutYou') : t('about', { who: actorId })}
      </h2>
      <Facts
        facts={[
          { term: t('level'), is: word(`level${level}`) },
          { term: t('rule'), is: <code>{rule}</code> },
          { term: t('placed'), is: <When at={placedAt} /> },
          proposedBy === null
            ? null
            : {
                term: t('asked'),
                is: (
                  <>
                    <Who id={proposedBy} />, {proposedAt === null ? null : zoned(proposedAt)}
                  </>
                ),
              },
          proposedBy === null
            ? null
            : {
                term: t('askedWhy'),
                is: brake.proposalReason === null ? null : <Foreign text={brake.proposalReason} />,
                refusal: refusals.of('Brake.proposalReason'),
              },
          releasedBy === null
            ? null
            : {
                term: t('released'),
                is: (
                  <>
                    <Who id={releasedBy} />, {releasedAt === null ? null : zoned(releasedAt)}
                  </>
                ),
              },
          releasedBy === null
            ? null
            : {
                term: `${t('released')}: ${t('releasedWhy')}`,
                is: brake.releaseReason === null ? null : <Foreign text={brake.releaseReason} />,
                refusal: refusals.of('Brake.releaseReason'),
              },
        ]}
      />
      {looksUpNames.some((role) => roles.includes(role)) ? (
        <WhoAsked ids={[actorId, proposedBy, releasedBy].filter((each) => each !== null)} />
      ) : null}
      <div className="decision">
        {isGone ? <p className="notice warn">{t('changed')}</p> : null}
        {state === 'RELEASED' ? null : actorId === me ? (
          <p className="notice quiet">{t('ownBrake')}</p>
        ) : isSecond && proposedBy === me ? (
          <p className="notice quiet">{t('ownAsk')}</p>
        ) : isSecond ? (
          <WhyAction {...act} open={t('releaseIt')} label={t('releaseWhy')} hint={t('hintSecond')} submit={t('releaseNow')} />
        ) : (
          <WhyAction {...act} open={t('ask')} label={t('askWhy')} hint={t('hint')} submit={t('askNow')} />
        )}
      </div>
    </article>
  );
};

/** Brakes, and their release by two people. */
export default () => {
  const t = useText(brakeTexts);
  const { roles } = useSession();
  const paging = usePaging();
  const list = useGraph(BrakeList, { after: paging.after });
  const now = useGraph(BrakesNow, {}, { every: askedEvery, isLate: true, pause: paging.after !== null });
  return (
    <Page title={t('title')}>
      <p>{t('intro')}</p>
      {looksUpNames.some((role) => roles.includes(role)) ? null : <p className="quiet">{t('byId')}</p>}
      <Queue
        name="brakes"
        label={t('title')}
        list={list}
        now={now}
        paging={paging}
        count={(total) => (total === 0 ? t('none') : t('count', { count: total }))}
        // A brake that has moved on is another matter: what was typed for what it was is not for what it is.
        keyOf={({ id, state }) => `${id} ${state}`}
      >
        {(brake, refusals, isGone) => <BrakeCard brake={brake} refusals={refusals} isGone={isGone} look={now.refresh} />}
      </Queue>
    </Page>
  );
};
