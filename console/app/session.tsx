import { createContext, type ReactNode, Suspense, useContext } from 'react';
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

const SessionContext = createContext<Session | null>(null);

/** Who is signed in. Only below `SignedIn`. */
export const useSession = (): Session => {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('nobody is signed in here');
  return session;
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

/** Shows its children to whoever is signed in, and takes them away once the gateway says that nobody is. */
export const SignedIn = ({ children }: { readonly children: ReactNode }) => {
  const answer = useGraph(WhoAmI, {});
  const isSignedOut = useSignedOut();
  if (isSignedOut) return <SignedOut />;
  if (answer.state !== 'ready')
    return (
      <main id="content">
        <Suspense fallback={null}>
          <Answered answer={answer}>{() => null}</Answered>
        </Suspense>
      </main>
    );
  return <SessionContext.Provider value={answer.data.viewer}>{children}</SessionContext.Provider>;
};
