import type { Core } from './core';
import type { EmbedsSection } from './embeds/embeds.section';
import { createEmbeds } from './embeds/embeds.slice';
import type { SignInSection } from './sign-in/sign-in.section';
import { createSignIn, type SignInParts } from './sign-in/sign-in.slice';
import type { TicketGrounds } from './tickets/tickets.policy';

interface BrowserSettings {
  readonly sources: { readonly helpdesk: readonly { readonly kind: string; readonly name: string }[] };
  readonly signIn: SignInSection | null;
  readonly embeds: EmbedsSection;
  readonly production: boolean;
}

export interface BrowserParts extends SignInParts {
  readonly scope: TicketGrounds;
  readonly development: (SignInParts['development'] & { embedOf(source: string): EmbedsSection[number] }) | null;
}

/** Development has a helpdesk with the panel, for the demo source that nothing else is configured for. */
const embedsOf = ({ embeds, sources }: BrowserSettings, { development }: BrowserParts): EmbedsSection => {
  const demo = sources.helpdesk.find(({ kind }) => kind === 'demo');
  const isAdded = demo && development && !embeds.some(({ source }) => source === demo.name);
  return isAdded ? [...embeds, development.embedOf(demo.name)] : embeds;
};

/** What people have in their browsers: sessions, and within these the ones of frames in helpdesks' pages; and what ends them. */
export const createBrowsers = (core: Core, settings: BrowserSettings, parts: BrowserParts) => {
  const signIn = createSignIn(core, settings, parts);
  const embeds = createEmbeds(core, embedsOf(settings, parts), { signIn: signIn.service, scope: parts.scope });
  return {
    signIn: signIn.service,
    embeds: embeds.service,
    reach: embeds.reach,
    recurring: [
      ...signIn.recurring,
      ...embeds.recurring,
      () => parts.actors.restoreRevocations(),
      () => parts.actors.forgetProofs(),
    ] as (() => Promise<unknown>)[],
  };
};
