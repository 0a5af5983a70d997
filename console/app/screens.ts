import type { ComponentType } from 'react';
import type { Role } from './graph/operations';
import type { Place } from './paths';
import { catalogue } from './text/catalogue';

/** Names of the screens, as the navigation and their titles have them. */
export const screenTexts = catalogue({ tickets: 'Tickets' }, { tickets: 'Tickets' });

export interface Screen {
  readonly place: Place;
  /** Who finds it in the navigation; what it shows, the graph decides. Nobody where it is reached from another one. */
  readonly inNavigationOf: readonly Role[];
  readonly title: keyof (typeof screenTexts)['en'];
  readonly load: () => Promise<{ readonly default: ComponentType<{ readonly params: Readonly<Record<string, string>> }> }>;
}

/** All screens, in the order in which the navigation has them. Each is a file of its own that is loaded when somebody goes there. */
export const screens: readonly Screen[] = [
  {
    place: 'tickets',
    title: 'tickets',
    inNavigationOf: ['AGENT', 'SUPERVISOR'],
    load: () => import('./screens/tickets/tickets'),
  },
];
