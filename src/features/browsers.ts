import type { Core } from './core';
import type { EmbedsSection } from './embeds/embeds.section';
import { createEmbeds } from './embeds/embeds.slice';
import type { SignInSection } from './sign-in/sign-in.section';
import { createSignIn, type SignInParts } from './sign-in/sign-in.slice';

interface BrowserSettings {
  readonly signIn: SignInSection | null;
  readonly embeds: EmbedsSection;
  readonly production: boolean;
}

/** What people have in their browsers: sessions, and within these the ones of frames in helpdesks' pages; and what ends them. */
export const createBrowsers = (core: Core, settings: BrowserSettings, { actors, development }: SignInParts) => {
  const signIn = createSignIn(core, settings, { actors, development });
  const embeds = createEmbeds(core, settings.embeds, signIn.service);
  return {
    signIn: signIn.service,
    embeds: embeds.service,
    reach: embeds.reach,
    recurring: [
      ...signIn.recurring,
      ...embeds.recurring,
      () => actors.restoreRevocations(),
      () => actors.forgetProofs(),
    ] as (() => Promise<unknown>)[],
  };
};
