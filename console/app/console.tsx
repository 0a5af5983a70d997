import { Suspense, use, useState } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { ownFetch } from './graph/client';
import { noted } from './noted';
import { Later } from './parts/notices';
import { Page } from './parts/page';
import { paths } from './paths';
import { type Screen, screens, screenTexts } from './screens';
import { SignedIn, useSession } from './session';
import { useText } from './text/catalogue';
import { commonTexts } from './text/common';
import { chooseLanguage, type Language, languages, useLanguage } from './text/language';

/** False where the gateway didn’t say that the session is over. */
const signOut = async (): Promise<boolean> => {
  try {
    const response = await ownFetch('/sign-out', { method: 'POST' });
    // Nobody is signed in: that is what was wanted.
    if (!response.ok && response.status !== 401) return false;
    const { next } = response.ok ? ((await response.json()) as { readonly next: string | null }) : { next: null };
    location.assign(next ?? paths.home);
    return true;
  } catch {
    return false;
  }
};

const SignOut = () => {
  const t = useText(commonTexts);
  const [isBusy, setBusy] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const press = async () => {
    if (isBusy) return;
    setBusy(true);
    setFailed(!(await signOut()));
    setBusy(false);
  };
  return (
    <>
      <button type="button" className="small" aria-disabled={isBusy} onClick={() => void press()}>
        {t('signOut')}
      </button>
      <p role="alert">{hasFailed ? <span className="problem">{t('signOutFailed')}</span> : null}</p>
    </>
  );
};

const LanguageChoice = () => {
  const t = useText(commonTexts);
  const language = useLanguage();
  return (
    <label className="language">
      <span>{t('language')}</span>
      <select value={language} onChange={({ target }) => void chooseLanguage(target.value as Language)}>
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
};

const isSeenBy = ({ inNavigationOf }: Screen, roles: readonly string[]) => inNavigationOf.some((role) => roles.includes(role));

const Navigation = () => {
  const t = useText(commonTexts);
  const name = useText(screenTexts);
  const { roles } = useSession();
  const [path] = useLocation();
  return (
    <nav aria-label={t('navigation')}>
      <ul>
        {screens
          .filter((screen) => isSeenBy(screen, roles))
          .map(({ place, title }) => (
            <li key={place}>
              <Link href={paths[place]} aria-current={path === paths[place] ? 'page' : undefined}>
                {name(title)}
              </Link>
            </li>
          ))}
      </ul>
    </nav>
  );
};

const Who = () => {
  const t = useText(commonTexts);
  const { roles, mfa } = useSession();
  return (
    <p className="who">
      {t('you')} {roles.map((role) => t(`role${role}`)).join(', ')}, {t(mfa ? 'secondFactor' : 'noSecondFactor')}
    </p>
  );
};

const Home = () => {
  const t = useText(commonTexts);
  const { roles } = useSession();
  const first =
    screens.find(({ homeOf = [] }) => homeOf.some((role) => roles.includes(role))) ??
    screens.find((screen) => isSeenBy(screen, roles));
  if (first) return <Redirect to={paths[first.place]} replace />;
  return (
    <Page title={t('home')}>
      <p>{t('homeNone')}</p>
    </Page>
  );
};

/** Whether an address is one of a place. */
const isAt = (pattern: string, path: string): boolean => new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}$`).test(path);

const loading = new Map<Screen, ReturnType<Screen['load']>>();

const loadOnce = (screen: Screen): ReturnType<Screen['load']> => {
  const known = loading.get(screen);
  if (known) return known;
  const begun = noted(screen.load());
  loading.set(screen, begun);
  return begun;
};

/** Loads the screen at an address, so that it comes with the page, and not once that is there. */
export const loadScreenAt = async (path: string): Promise<void> => {
  const screen = screens.find(({ place }) => isAt(paths[place], path));
  if (screen) await loadOnce(screen);
};

const Loaded = ({ screen, params }: { readonly screen: Screen; readonly params: Readonly<Record<string, string>> }) => {
  const { default: Component } = use(loadOnce(screen));
  return <Component params={params} />;
};

const NoScreen = () => {
  const t = useText(commonTexts);
  return <Page title={t('noScreen')}>{null}</Page>;
};

const Screens = () => {
  const [path] = useLocation();
  return (
    <main id="content">
      <Later key={path}>
        <Switch>
          <Route path={paths.home} component={Home} />
          {screens.map((screen) => (
            <Route key={screen.place} path={paths[screen.place]}>
              {(params) => <Loaded screen={screen} params={params as Readonly<Record<string, string>>} />}
            </Route>
          ))}
          <Route component={NoScreen} />
        </Switch>
      </Later>
    </main>
  );
};

/** The console: who is signed in, where they can go, and the screen at the address. */
export const Console = () => {
  const t = useText(commonTexts);
  return (
    <>
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <header>
        <p className="product">{t('product')}</p>
        <LanguageChoice />
      </header>
      <SignedIn>
        <div className="bar">
          <Suspense fallback={null}>
            <Navigation />
            <section className="account" aria-label={t('account')}>
              <Who />
              <SignOut />
            </section>
          </Suspense>
        </div>
        <Screens />
      </SignedIn>
    </>
  );
};
