import { open, seal } from '../../privacy/sealing';
import type { Actors } from '../actors/actors.service';
import type { Core } from '../core';
import { BrowserSessions } from './browser-sessions.service';
import { type Beginning, beginning, mostMinutes, SignInProviders, SignInRefused } from './providers';
import type { SignInSection } from './sign-in.section';

/** A provider that comes with development, and doesn’t say at its issuer’s address what it offers. */
interface ProviderOfDevelopment {
  readonly issuer: { readonly name: string };
  readonly signIn: SignInSection;
  metadataAddress(gateway: string): Promise<string>;
}

export interface SignInParts {
  readonly actors: Actors;
  /** Null in production. */
  readonly development: ProviderOfDevelopment | null;
}

interface SignInSettings {
  readonly signIn: SignInSection | null;
  readonly production: boolean;
}

/** Refusals of each kind that are put on record within a minute; what is beyond is counted only, as anybody can send such answers. */
const mostOnRecord = 20;

const place = { table: 'sign_in', column: 'begun', row: 'cookie' };

/** How people sign in with a browser; null where nothing says at which provider. */
export const createSignIn = (core: Core, { signIn, production }: SignInSettings, { actors, development }: SignInParts) => {
  const section = signIn ?? development?.signIn ?? null;
  if (section === null) return { service: null, recurring: [] };
  const { database, keys, clock, publicUrl } = core;
  const providers = new SignInProviders({
    providers: section.providers,
    publicUrl,
    production,
    clock,
    metadataAddress: async (issuer) => (issuer === development?.issuer.name ? development.metadataAddress(publicUrl()) : issuer),
  });
  const { idleMinutes, hours } = section;
  const sessions = new BrowserSessions({ database, keys, clock, actors, providers, idleMinutes, hours });
  let minute = { at: Number.NEGATIVE_INFINITY, counts: new Map<string, number>() };
  const service = {
    providers,
    sessions,
    /** What the browser brings back, so that any process can go on with it, and nobody else's browser. */
    sealed: (begun: Beginning): string => seal(keys.sessionKey, place, JSON.stringify(begun)).toString('base64url'),
    /** Throws `SignInRefused` where it isn't what this gateway sealed, or is too old. */
    opened: (text: string): Beginning => {
      try {
        const begun = beginning.parse(JSON.parse(open(keys.sessionKey, place, Buffer.from(text, 'base64url'))));
        if (clock().getTime() - begun.at <= mostMinutes * 60_000) return begun;
      } catch {
        // Whatever is wrong with it, it is none.
      }
      throw new SignInRefused('answer');
    },
    /** Somebody came back with what begins nothing. */
    refused: async (why: string): Promise<void> => {
      const now = clock().getTime();
      if (now - minute.at >= 60_000) minute = { at: now, counts: new Map() };
      const count = (minute.counts.get(why) ?? 0) + 1;
      minute.counts.set(why, count);
      if (count > mostOnRecord) return;
      await database.system('sign-in', 'sign-in.refuse', async (change) => {
        change.record('sign-in.refuse', { detail: { why } });
      });
    },
  };
  return { service, recurring: [() => sessions.sweep()] };
};

export type SignIn = NonNullable<ReturnType<typeof createSignIn>['service']>;
