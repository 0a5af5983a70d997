import { lazy, useState } from 'react';
import { tellSignedOut, useSignedOut } from '../graph/signed-out';
import { Panel } from '../screens/agent/panel';
import { useText } from '../text/catalogue';
import { ConsoleLink } from './console-link';
import type { Taken } from './context';
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

/** The page of a frame: whoever signed in from it sees the ticket that the page around it is about. `brought`: what became of what the helpdesk signed for it. */
export const Frame = ({ source, reference, brought }: NonNullable<typeof framePlace> & { readonly brought: Taken }) => {
  const isSignedOut = useSignedOut();
  const [chosen, choose] = useState<string | null>(reference);
  const [taken, bring] = useState(brought);
  if (chosen === null || taken !== 'taken')
    return <Unshown source={source} reference={chosen} chosen={choose} taken={taken} brought={bring} />;
  const place = { source, reference: chosen };
  return isSignedOut ? <SignIn place={place} /> : <Shown place={place} />;
};
