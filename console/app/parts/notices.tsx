import { lazy, type ReactNode, Suspense, useState } from 'react';
import { type Refusal, type Refusals, saidBy } from '../graph/refusals';
import { useSteppedUp } from '../graph/stepped-up';
import type { Answer } from '../graph/use';
import { paths } from '../paths';
import { useText } from '../text/catalogue';
import { commonTexts } from '../text/common';
import { useFormats } from '../text/formats';
import { useLanguage } from '../text/language';
import { Boundary } from './boundary';

/** Where a browser signs in, and comes back to what it was looking at. */
export const signInPath = (): string => `/sign-in?${new URLSearchParams({ return: `${location.pathname}${location.search}` })}`;

/** Where somebody who is signed in shows more of who they are. */
const stepUpPath = (step: 'second-factor' | 'recent'): string =>
  `/sign-in?${new URLSearchParams({ return: paths.steppedUp, for: step })}`;

export const Loading = () => {
  const t = useText(commonTexts);
  return (
    <p className="notice quiet" role="status">
      {t('loading')}
    </p>
  );
};

/** In the place of a part that failed. */
export const Fault = () => {
  const t = useText(commonTexts);
  return (
    <p className="notice refusal" role="alert">
      {t('fault')}
    </p>
  );
};

/**
 * A part that is loaded once it is shown. Where that fails, as it does for a page that is older than what the gateway has by now, its own place says so,
 * and the rest stands.
 */
export const Later = ({
  children,
  meanwhile = <Loading />,
  instead = <Fault />,
}: {
  readonly children: ReactNode;
  readonly meanwhile?: ReactNode;
  readonly instead?: ReactNode;
}) => (
  <Boundary instead={instead}>
    <Suspense fallback={meanwhile}>{children}</Suspense>
  </Boundary>
);

const ReasonInWords = lazy(() => import('../text/reasons'));
const InGerman = lazy(() => import('../text/refusals.de'));

/** Why something was refused, in the reader's words where there are some: those are loaded once something is. */
export const Reason = ({ refusal }: { readonly refusal: Refusal }) => {
  const said = saidBy(refusal);
  const isGerman = useLanguage() === 'de';
  const InWords = refusal.reason !== null ? ReasonInWords : isGerman ? InGerman : null;
  if (InWords === null) return said;
  return (
    <Later meanwhile={null} instead={said}>
      <InWords refusal={refusal} />
    </Later>
  );
};

const titles = {
  DENIED: 'denied',
  NOT_FOUND: 'notFound',
  OFFLINE: 'offline',
  OVERLOADED: 'overloaded',
  RATE_LIMITED: 'overloaded',
} as const;

/**
 * What would lift a refusal, where a person can do it here. It opens in a tab of its own: this page stays as it is, with all that was typed, which
 * nothing in the browser may keep otherwise, and hears of it.
 */
const Remedy = ({ refusal: { reason } }: { readonly refusal: Refusal }) => {
  const t = useText(commonTexts);
  const [isLifted, setLifted] = useState(false);
  useSteppedUp(() => setLifted(true));
  if (reason !== 'MFA_REQUIRED' && reason !== 'RECENT_LOGIN_REQUIRED') return null;
  const isFactor = reason === 'MFA_REQUIRED';
  return (
    <>
      <p>
        <a href={stepUpPath(isFactor ? 'second-factor' : 'recent')} target="_blank" rel="noopener">
          {t(isFactor ? 'stepUpFactor' : 'stepUpRecent')}
        </a>{' '}
        {t('stepUpStays')}
      </p>
      <p role="status">{isLifted ? <strong>{t('steppedUpNow')}</strong> : null}</p>
    </>
  );
};

/** Why something isn't there, in words, with what would help. `live` for what follows on something that the reader did. */
export const RefusalNotice = ({
  refusal,
  live = false,
  children,
}: {
  readonly refusal: Refusal;
  readonly live?: boolean;
  readonly children?: ReactNode;
}) => {
  const t = useText(commonTexts);
  const { code, retryAfter } = refusal;
  const title = t(titles[code as keyof typeof titles] ?? 'failed');
  const words =
    code === 'OFFLINE' || refusal.message === '' ? (
      t(live ? 'offlineLost' : 'offlineWhy')
    ) : code === 'NOT_FOUND' ? (
      t('notFoundWhy')
    ) : (
      <Reason refusal={refusal} />
    );
  return (
    <div className="notice refusal" role={live ? 'alert' : undefined} data-code={code} data-reason={refusal.reason ?? undefined}>
      <p>
        <strong>{title}</strong>
      </p>
      <p>{words}</p>
      {retryAfter === null ? null : <p>{t('retryAfter', { count: retryAfter })}</p>}
      <Remedy refusal={refusal} />
      {children}
    </div>
  );
};

/** In the place of a value that wasn't given. Never empty: nothing that is denied looks like nothing that is there. */
export const NotShown = ({ refusal }: { readonly refusal: Refusal }) => {
  const t = useText(commonTexts);
  return (
    <span className="not-shown" data-reason={refusal.reason ?? undefined}>
      {t('partDenied')}: <Reason refusal={refusal} />
    </span>
  );
};

/** Shows an answer in each of its states: being asked, refused, there, and there but no longer up to date. */
export const Answered = <Data,>({
  answer,
  children,
}: {
  readonly answer: Answer<Data>;
  readonly children: (data: Data, refusals: Refusals) => ReactNode;
}) => {
  const t = useText(commonTexts);
  const { time } = useFormats();
  if (answer.state === 'loading') return <Loading />;
  const again = (
    <p>
      <button type="button" className="small" onClick={answer.refresh}>
        {t('refresh')}
      </button>
    </p>
  );
  if (answer.state === 'refused') return <RefusalNotice refusal={answer.refusal}>{again}</RefusalNotice>;
  return (
    <>
      {answer.interrupted === null ? null : (
        <div className="notice stale" role="status" data-code={answer.interrupted.code}>
          <p>
            {answer.interrupted.code === 'OFFLINE' ? `${t('offline')}. ` : null}
            {t('interrupted', { time: time(answer.at.toISOString(), 'local', true) })}
          </p>
          {again}
        </div>
      )}
      {children(answer.data, answer.refusals)}
    </>
  );
};
