import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { Page } from '../../parts/page';
import { type Place, paths } from '../../paths';
import { useText } from '../../text/catalogue';
import { auditorTexts } from './texts';

const places = [
  ['log', 'navEvents'],
  ['logCounts', 'navCounts'],
  ['logCheckpoints', 'navCheckpoints'],
  ['logExports', 'navExports'],
] as const satisfies readonly (readonly [Place, string])[];

/** A screen about the log, with the way to the others. */
export const LogScreen = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => {
  const t = useText(auditorTexts);
  const [path] = useLocation();
  return (
    <Page title={title}>
      <nav className="log-nav" aria-label={t('nav')}>
        <ul>
          {places.map(([place, name]) => (
            <li key={place}>
              <Link href={paths[place]} aria-current={path === paths[place] ? 'page' : undefined}>
                {t(name)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="log-screen">{children}</div>
    </Page>
  );
};
