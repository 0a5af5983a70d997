import { useEffect, useRef, useState } from 'react';
import { tellSignedIn } from '../graph/signed-out';
import { useText } from '../text/catalogue';
import { ConsoleLink } from './console-link';
import type { FramePlace } from './place';
import { type FrameKey, newFrameKey, requestAccess, signInByPopup } from './session';
import { frameTexts } from './texts';

type Step = 'out' | 'waiting' | 'gone' | 'blocked' | 'refused';

/** Signing in from within a frame: by a window; where that is cut off, by what it left with the browser; otherwise in the console. */
export default ({ place }: { readonly place: FramePlace }) => {
  const t = useText(frameTexts);
  const [step, setStep] = useState<Step>('out');
  const [key, setKey] = useState<FrameKey | null>(null);
  const isThere = useRef(true);
  useEffect(() => {
    isThere.current = true;
    void newFrameKey().then(setKey);
    return () => {
      isThere.current = false;
    };
  }, []);
  const became = (outcome: Step | 'signed-in') => {
    if (outcome === 'signed-in') return tellSignedIn();
    if (isThere.current) setStep(outcome);
  };
  const signIn = () => {
    if (key === null) return;
    setStep('waiting');
    void signInByPopup(place.source, key).then(became);
  };
  const goOn = () => {
    if (key !== null) void requestAccess(place.source, key).then(became);
  };
  return (
    <main id="content" data-step={step}>
      <h1>{t('ticket', { reference: place.reference })}</h1>
      <p>{t('why')}</p>
      {step === 'out' ? null : <p role="status">{t(step)}</p>}
      <p>
        <button type="button" disabled={key === null} onClick={signIn}>
          {t('signIn')}
        </button>{' '}
        {step === 'gone' || step === 'waiting' ? (
          <button type="button" onClick={goOn}>
            {t('continue')}
          </button>
        ) : null}
      </p>
      <p>
        <ConsoleLink place={place} />
      </p>
    </main>
  );
};
