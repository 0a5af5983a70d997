import { lazy, useEffect } from 'react';
import { EndAssistance, PanelAccess } from '../../graph/operations';
import type { Refusal } from '../../graph/refusals';
import { useAct, useGraph } from '../../graph/use';
import { RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { useNow } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import type { Assistance } from './access';
import { formTexts } from './form-texts';
import { ActButton, Opens } from './opens';
import { useShown } from './shown';

const AskForm = lazy(() => import('./asking'));

/** What a request lifts; everything else is lifted elsewhere. */
const liftedByRequest: readonly (string | null)[] = ['NO_ASSISTANCE', 'SELF_MADE', 'APPROVAL_REQUIRED', 'ASSISTANCE_ENDED'];

/** Seconds after which it is looked whether a request was decided. */
const pulse = 20;

/** A customer who is closed to the reader: why, and what would open them. */
export default ({ assistance, refusal }: { readonly assistance: Assistance | null; readonly refusal: Refusal }) => {
  const t = useText(formTexts);
  const { ticketId, refresh } = useShown();
  const end = useAct(EndAssistance);
  const isWaiting = assistance?.state === 'WAITING';
  const access = useGraph(PanelAccess, { ticketId }, { every: pulse, pause: !isWaiting });
  // Nothing but that is asked meanwhile: the panel is asked for once it was decided.
  const isDecided = isWaiting && access.state === 'ready' && access.data.viewer.assistance?.state !== 'WAITING';
  useEffect(() => {
    if (isDecided) refresh();
  }, [isDecided, refresh]);
  if (isWaiting)
    return (
      <section className="sheet" aria-labelledby="panel-access">
        <h2 id="panel-access">{t('waitingTitle')}</h2>
        <Waiting at={assistance.requestedAt} />
        {assistance.reason ? (
          <p>
            {t('yourWords')} <Foreign text={assistance.reason} />
          </p>
        ) : null}
        <ActButton act={end} variables={{ id: assistance.id }} label={t('withdraw')} done={t('withdrawn')} />
      </section>
    );
  const isRejected = assistance?.state === 'REJECTED';
  const isBySupervisor = assistance?.endReason === 'BY_SUPERVISOR';
  return (
    <section className="sheet" aria-labelledby="panel-access">
      <h2 id="panel-access">{t(isRejected ? 'rejectedTitle' : isBySupervisor ? 'bySupervisorTitle' : 'accessTitle')}</h2>
      {isRejected && assistance.rejectionReason ? (
        <p className="notice refusal">
          {t('theirWords')} <Foreign text={assistance.rejectionReason} />
        </p>
      ) : null}
      {isBySupervisor ? <p>{t('bySupervisor')}</p> : null}
      {isRejected || isBySupervisor ? null : <RefusalNotice refusal={refusal} />}
      {liftedByRequest.includes(refusal.reason) ? (
        <Opens summary={t('ask')} isOpenFirst={isRejected || isBySupervisor}>
          {() => <AskForm />}
        </Opens>
      ) : null}
    </section>
  );
};

/** A sentence with when, in the reader's words. */
const Waiting = ({ at }: { readonly at: string }) => {
  const t = useText(formTexts);
  const { relative } = useFormats();
  const now = useNow();
  return <p>{t('waiting', { ago: relative(at, now) })}</p>;
};
