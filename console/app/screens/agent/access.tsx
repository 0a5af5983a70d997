import { useEffect, useState } from 'react';
import { EndAssistance } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { RefusalNotice } from '../../parts/notices';
import { useNow } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { type Ticket, useShown } from './shown';
import { agentTexts } from './texts';

export type Assistance = NonNullable<Ticket['assistance']>;

/** How an access that was live came to its end, as far as the panel knows. */
export type End = 'TIME' | 'HAND' | 'ELSEWHERE';

/** Milliseconds from which seconds are counted, and said once. */
const soon = 5 * 60_000;

/** What is left of an access, counting. Where this machine's clock can't be right, only until when. */
const TimeLeft = ({ until, isTrusted }: { readonly until: string; readonly isTrusted: boolean }) => {
  const t = useText(agentTexts);
  const { time } = useFormats();
  const { announce } = useShown();
  const end = new Date(until).getTime();
  const now = useNow(end - Date.now() < soon + 30_000 ? 1 : 15);
  const left = Math.max(0, end - now);
  const isSoon = isTrusted && left <= soon;
  useEffect(() => {
    if (isSoon) announce(t('soonOver'));
  }, [isSoon, announce, t]);
  const exact = t('until', { time: time(until) });
  if (!isTrusted) return <time dateTime={until}>{exact}</time>;
  const minutes = Math.floor(left / 60_000);
  const words = isSoon
    ? t('leftSeconds', { minutes, seconds: String(Math.floor(left / 1_000) % 60).padStart(2, '0') })
    : minutes < 60
      ? t('leftMinutes', { count: minutes })
      : t('leftHours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  return (
    <time dateTime={until} title={exact} className={isSoon ? 'soon' : undefined}>
      {words}
    </time>
  );
};

/** A live access: how long it lasts, and its end by hand. */
export const Live = ({
  assistance: { id, expiresAt },
  isTrusted,
  onEnd,
}: {
  readonly assistance: Assistance;
  readonly isTrusted: boolean;
  readonly onEnd: (end: End) => void;
}) => {
  const t = useText(agentTexts);
  const act = useAct(EndAssistance);
  const end = async () => {
    if ((await act.run({ id })) !== null) onEnd('HAND');
  };
  return (
    <div className="access">
      <p>
        <strong>{t('live')}</strong>, <TimeLeft until={expiresAt} isTrusted={isTrusted} />
      </p>
      <button type="button" className="small" aria-disabled={act.isBusy} onClick={() => void end()}>
        {t('end')}
      </button>
      {act.refusal === null ? null : <RefusalNotice refusal={act.refusal} live />}
    </div>
  );
};

/** Calls back once an instant is past, also where the machine slept over it. */
export const useEndAt = (until: string | null, ended: () => void): void => {
  const [latest] = useState(() => ({ ended }));
  latest.ended = ended;
  useEffect(() => {
    if (until === null) return;
    const end = new Date(until).getTime();
    const look = () => {
      if (Date.now() >= end) latest.ended();
    };
    const timer = setInterval(look, 1_000);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [until, latest]);
};
