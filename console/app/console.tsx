import { Suspense, use } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { noted } from './noted';
import { Boundary } from './parts/boundary';
import { Loading } from './parts/notices';
import { Page } from './parts/page';
import { paths } from './paths';
import { type Screen, screens, screenTexts } from './screens';
import { SignedIn, useSession } from './session';
import { useText } from './text/catalogue';
import { commonTexts } from './text/common';
import { chooseLanguage, type Language, languages, useLanguage } from './text/language';

const signOut = async (): Promise<void> => {
  const headers = { 'counterfoil-browser': '1' };
  const response = await fetch('/sign-out', { method: 'POST', headers, credentials: 'same-origin' }).catch(() => null);
  const { next } = response?.ok ? ((await response.json()) as { next: string | null }) : { next: null };
  location.assign(next ?? paths.home);
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
  const t = useText(commonTexts);
  const [path] = useLocation();
  const fault = (
    <p className="notice refusal" role="alert">
      {t('fault')}
    </p>
  );
  return (
    <main id="content">
      <Boundary key={path} instead={fault}>
        <Suspense fallback={<Loading />}>
          <Switch>
            <Route path={paths.home} component={Home} />
            {screens.map((screen) => (
              <Route key={screen.place} path={paths[screen.place]}>
                {(params) => <Loaded screen={screen} params={params as Readonly<Record<string, string>>} />}
              </Route>
            ))}
            <Route component={NoScreen} />
          </Switch>
        </Suspense>
      </Boundary>
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
              <button type="button" className="small" onClick={() => void signOut()}>
                {t('signOut')}
              </button>
            </section>
          </Suspense>
        </div>
        <Screens />
      </SignedIn>
    </>
  );
};
