import { z } from 'zod';
import { line, type SectionContext, secret, sourceName } from '../../section';

const words = (what: string) =>
  z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, `expected ${what} without blanks`)).max(16);

/** How staff sign in with a browser: the gateway as a client of the identity providers that it trusts. */
export const signInSection = (section: SectionContext) =>
  z.strictObject({
    providers: z
      .array(
        z.strictObject({
          /** In the redirect URI, of which each has its own: what one provider was asked, no other answers (RFC 9700, 4.4.2.2). */
          id: sourceName,
          /** One of `identity.issuers`. */
          issuer: z.string().min(1),
          /** As people know it, where they choose between several. */
          name: line(60),
          clientId: line(256),
          clientSecret: secret(section),
          scope: words('scopes').default(['openid']),
          /** The resource that access tokens are asked for (RFC 8707), where the provider wants it named. */
          resource: z.url({ error: 'expected an absolute URI' }).optional(),
          /** What is asked for where a second factor is missing (`acr_values`); without it, the provider is asked to authenticate again. */
          secondFactor: words('authentication context classes').default([]),
        }),
      )
      .min(1, 'expected at least one provider')
      .max(8, 'expected at most 8 providers')
      .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, 'expected each issuer once')
      .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'expected each id once'),
    /** After so long without a request a session is over. */
    idleMinutes: z.int().min(1).max(60).default(15),
    /** After so long it is over anyway. */
    hours: z.int().min(1).max(24).default(8),
  });

export type SignInSection = z.output<ReturnType<typeof signInSection>>;
export type SignInProviderSection = SignInSection['providers'][number];
