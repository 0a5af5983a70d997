import { lazy, useState } from 'react';
import { tellSignedOut, useSignedOut } from '../graph/signed-out';
import { Panel } from '../screens/agent/panel';
import { useText } from '../text/catalogue';
import { ConsoleLink } from './console-link';
import type { FramePlace, framePlace } from './place';
import { signOutOfFrame } from './sign-out';
import { frameTexts } from './texts';

// Loaded by whom it is shown to: whoever is signed in waits for none of it.
const SignIn = lazy(() => import('./sign-in'));
const Unshown = lazy(() => import('./unshown'));

const Shown = ({ place }: { readonly place: FramePlace }) => {
  const t = useText(frameTexts);
  return (
    <main id="content">
      <h1 className="visually-hidden">{t('ticket', { reference: place.reference })}</h1>
      <Panel {...place} isFrame />
      <p>
        <ConsoleLink place={place} />{' '}
        <button type="button" onClick={() => void signOutOfFrame().then(tellSignedOut)}>
          {t('signOut')}
        </button>
      </p>
    </main>
  );
};

/** The page of a frame: whoever signed in from it sees the ticket that the page around it is about. `isTaken`: false where what the helpdesk signed for it was refused. */
export const Frame = ({ source, reference, isTaken }: NonNullable<typeof framePlace> & { readonly isTaken: boolean }) => {
  const isSignedOut = useSignedOut();
  const [chosen, choose] = useState<string | null>(reference);
  if (chosen === null || !isTaken) return <Unshown source={source} reference={chosen} chosen={choose} />;
  const place = { source, reference: chosen };
  return isSignedOut ? <SignIn place={place} /> : <Shown place={place} />;
};
