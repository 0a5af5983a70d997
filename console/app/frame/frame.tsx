import { useEffect, useRef, useState } from 'react';
import { tellSignedIn, tellSignedOut, useSignedOut } from '../graph/signed-out';
import { pathTo } from '../paths';
import { Panel } from '../screens/agent/panel';
import { useText } from '../text/catalogue';
import type { FramePlace } from './place';
import { type FrameKey, newFrameKey, requestAccess, signInByPopup, signOutOfFrame } from './session';
import { frameTexts } from './texts';

const ConsoleLink = ({ place }: { readonly place: FramePlace }) => {
  const t = useText(frameTexts);
  return (
    <a href={pathTo('ticket', { ...place })} target="_blank" rel="noopener noreferrer">
      {t('console')}
    </a>
  );
};

type Step = 'out' | 'waiting' | 'gone' | 'blocked' | 'refused';

/** Signing in from within a frame: by a window; where that is cut off, by what it left with the browser; otherwise in the console. */
const FrameSignIn = ({ place }: { readonly place: FramePlace }) => {
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

const Shown = ({ place }: { readonly place: FramePlace }) => {
  const t = useText(frameTexts);
  return (
    <main id="content">
      <h1 className="visually-hidden">{t('ticket', { reference: place.reference })}</h1>
      <Panel {...place} />
      <p>
        <ConsoleLink place={place} />{' '}
        <button type="button" onClick={() => void signOutOfFrame(place.source).then(tellSignedOut)}>
          {t('signOut')}
        </button>
      </p>
    </main>
  );
};

/** The page of a frame: whoever signed in from it sees the ticket that the page around it is about. */
export const Frame = ({ place }: { readonly place: FramePlace }) => {
  const isSignedOut = useSignedOut();
  return isSignedOut ? <FrameSignIn place={place} /> : <Shown place={place} />;
};
