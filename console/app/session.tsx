import { createContext, type ReactNode, Suspense, use, useContext, useEffect, useState } from 'react';
import { type Role, WhoAmI } from './graph/operations';
import { useSignedOut } from './graph/signed-out';
import { useGraph } from './graph/use';
import { Answered, signInPath } from './parts/notices';
import { useText } from './text/catalogue';
import { commonTexts } from './text/common';

export interface Session {
  readonly id: string;
  readonly roles: readonly Role[];
  readonly teams: readonly string[];
  readonly mfa: boolean;
}

const SessionContext = createContext<Session | Promise<Session> | null>(null);

/** Who is signed in; what needs to know waits for it. Only below `SignedIn`. */
export const useSession = (): Session => {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('nobody is signed in here');
  return session instanceof Promise ? use(session) : session;
};

/** A promise, and what fulfils it. */
const later = <T,>() => {
  let fulfil!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    fulfil = done;
  });
  return { promise, fulfil };
};

export const SignedOut = () => {
  const t = useText(commonTexts);
  return (
    <main id="content">
      <h1>{t('signedOut')}</h1>
      <p>{t('signedOutWhy')}</p>
      <p>
        <a className="button" href={signInPath()}>
          {t('signIn')}
        </a>
      </p>
    </main>
  );
};

/**
 * Shows its children to whoever is signed in, and takes them away once the gateway says that nobody is. They begin with it: a screen asks for what
 * it shows while it is found out who looks at it.
 */
export const SignedIn = ({ children }: { readonly children: ReactNode }) => {
  const answer = useGraph(WhoAmI, {});
  const isSignedOut = useSignedOut();
  const [arriving] = useState(() => later<Session>());
  const viewer = answer.state === 'ready' ? answer.data.viewer : null;
  useEffect(() => {
    if (viewer !== null) arriving.fulfil(viewer);
  }, [arriving, viewer]);
  if (isSignedOut) return <SignedOut />;
  if (answer.state === 'refused')
    return (
      <main id="content">
        <Suspense fallback={null}>
          <Answered answer={answer}>{() => null}</Answered>
        </Suspense>
      </main>
    );
  return <SessionContext.Provider value={viewer ?? arriving.promise}>{children}</SessionContext.Provider>;
};
