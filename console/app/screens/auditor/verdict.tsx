import { type ReactNode, useEffect, useRef } from 'react';
import type { ProvenInclusion } from '../../../verifier/steps';
import { useText } from '../../text/catalogue';
import { auditorTexts } from './texts';

const looks = { PROVEN: 'notice good', OFFERED_KEY: 'notice warn', OPEN: 'notice warn', NOT_PROVEN: 'notice refusal' } as const;

/** What came of a proof, first of all. It takes the keyboard, so that it is read out. */
export const Verdict = ({
  verdict,
  of,
  failedAt,
  checkedTwice,
  children,
}: {
  readonly verdict: ProvenInclusion['verdict'];
  readonly of: 'inclusion' | 'continuation';
  /** The title of the step that is wrong. */
  readonly failedAt: string | null;
  readonly checkedTwice: number | null;
  readonly children: ReactNode;
}) => {
  const t = useText(auditorTexts);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section aria-label={t('verdict')} data-verdict={verdict}>
      <div className={looks[verdict]}>
        <h2 ref={heading} tabIndex={-1}>
          {t(`verdict_${of}_${verdict}`)}
        </h2>
        {failedAt === null ? null : (
          <p>
            <strong>{t('failedAt', { step: failedAt })}</strong>
          </p>
        )}
        <p>{t(`means_${of}_${verdict}`)}</p>
        <p>{checkedTwice === null ? t('checkedOnce') : t('checkedTwice', { count: checkedTwice })}</p>
      </div>
      {children}
    </section>
  );
};
