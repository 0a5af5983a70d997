import type { ComponentType } from 'react';
import type { Role } from './graph/operations';
import type { Place } from './paths';
import { catalogue } from './text/catalogue';

/** Names of the screens, as the navigation and their titles have them. */
export const screenTexts = catalogue(
  {
    tickets: 'Tickets',
    ticket: 'Ticket',
    approvals: 'Approvals',
    alerts: 'Alerts',
    holds: 'Holds',
    brakes: 'Brakes',
    policy: 'Policy',
    people: 'Who saw a customer',
    operations: 'Operations',
    log: 'Log',
    steppedUp: 'Signed in again',
  },
  {
    tickets: 'Tickets',
    ticket: 'Ticket',
    approvals: 'Freigaben',
    alerts: 'Warnungen',
    holds: 'Angehalten',
    brakes: 'Bremsen',
    policy: 'Richtlinie',
    people: 'Wer einen Kunden sah',
    operations: 'Betrieb',
    log: 'Protokoll',
    steppedUp: 'Erneut angemeldet',
  },
);

export interface Screen {
  readonly place: Place;
  /** Who finds it in the navigation; what it shows, the graph decides. Nobody where it is reached from another one. */
  readonly inNavigationOf: readonly Role[];
  /** Whose day begins here, where it isn't with the first screen that they find in the navigation. */
  readonly homeOf?: readonly Role[];
  readonly title: keyof (typeof screenTexts)['en'];
  readonly load: () => Promise<{ readonly default: ComponentType<{ readonly params: Readonly<Record<string, string>> }> }>;
}

/** All screens, in the order in which the navigation has them. Each is a file of its own that is loaded when somebody goes there. */
export const screens: readonly Screen[] = [
  { place: 'log', title: 'log', inNavigationOf: ['AUDITOR'], load: () => import('./screens/auditor/log') },
  { place: 'logCounts', title: 'log', inNavigationOf: [], load: () => import('./screens/auditor/counts') },
  { place: 'logCheckpoints', title: 'log', inNavigationOf: [], load: () => import('./screens/auditor/checkpoints') },
  { place: 'logExports', title: 'log', inNavigationOf: [], load: () => import('./screens/auditor/exports') },
  { place: 'logEvent', title: 'log', inNavigationOf: [], load: () => import('./screens/auditor/event') },
  { place: 'logCustomer', title: 'log', inNavigationOf: [], load: () => import('./screens/auditor/customer') },
  { place: 'logTrail', title: 'log', inNavigationOf: [], load: () => import('./screens/auditor/trail') },
  {
    place: 'steppedUp',
    title: 'steppedUp',
    inNavigationOf: [],
    load: () => import('./screens/stepped-up/stepped-up'),
  },
  {
    place: 'approvals',
    title: 'approvals',
    inNavigationOf: ['SUPERVISOR'],
    load: () => import('./screens/supervisor/approvals'),
  },
  {
    place: 'tickets',
    title: 'tickets',
    inNavigationOf: ['AGENT', 'SUPERVISOR'],
    load: () => import('./screens/tickets/tickets'),
  },
  {
    place: 'ticket',
    title: 'ticket',
    inNavigationOf: [],
    load: () => import('./screens/agent/agent'),
  },
  {
    place: 'alerts',
    title: 'alerts',
    inNavigationOf: ['AGENT', 'SUPERVISOR'],
    load: () => import('./screens/supervisor/alerts'),
  },
  { place: 'people', title: 'people', inNavigationOf: ['PRIVACY'], load: () => import('./screens/privacy/people') },
  {
    place: 'policy',
    title: 'policy',
    inNavigationOf: ['PAYMENTS', 'AUDITOR', 'PRIVACY', 'ADMIN'],
    load: () => import('./screens/payments/policy'),
  },
  { place: 'policyPreview', title: 'policy', inNavigationOf: [], load: () => import('./screens/payments/preview') },
  { place: 'policyDiff', title: 'policy', inNavigationOf: [], load: () => import('./screens/payments/diff') },
  {
    place: 'operations',
    title: 'operations',
    inNavigationOf: ['ADMIN', 'PAYMENTS', 'PRIVACY', 'AUDITOR'],
    homeOf: ['ADMIN'],
    load: () => import('./screens/operations/operations'),
  },
  {
    place: 'holds',
    title: 'holds',
    inNavigationOf: ['AGENT', 'SUPERVISOR', 'PAYMENTS', 'AUDITOR', 'ADMIN'],
    load: () => import('./screens/supervisor/holds'),
  },
  {
    place: 'brakes',
    title: 'brakes',
    inNavigationOf: ['SUPERVISOR', 'AUDITOR', 'ADMIN'],
    load: () => import('./screens/supervisor/brakes'),
  },
];
