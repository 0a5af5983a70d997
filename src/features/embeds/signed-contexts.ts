import * as errors from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import { z } from 'zod';
import type { SignedPageSection } from './embeds.section';

/** Seconds after which what was signed is too old, and by how many the helpdesk's clock may be ahead of ours. */
const mostAge = 60;
const mostAhead = 10;
/** Of a context, in characters. */
const longest = 4_096;

/** Why what a helpdesk signed isn't taken. */
export type ContextFault = 'context' | 'context-signature' | 'context-audience' | 'context-age' | 'context-used';

/** What is signed isn't taken. The message says which fault it has, and nothing of it. */
export class ContextRefused extends Error {
  constructor(readonly why: ContextFault) {
    super(`What the helpdesk signed was refused (${why}).`);
    this.name = 'ContextRefused';
  }
}

/** What a helpdesk says of its page: who is signed in there, and at which ticket. */
export interface ReadContext {
  readonly user: { readonly name: string } | { readonly reference: string };
  /** Null where the helpdesk names the person alone. */
  readonly reference: string | null;
  /** What of it is used up: the bytes that are signed, of which there is one spelling. */
  readonly once: string;
  /** From when on it is refused as too old. */
  readonly until: Date;
}

const times = { iat: z.int().min(0), exp: z.int().min(0) };
const rtClaims = z.object({
  ...times,
  sub: z.string().min(1).max(200),
  ticket: z.string().regex(/^\d{1,18}$/),
  jti: z.string().min(16).max(64),
});
const zendeskClaims = z.object({ ...times, sub: z.string().max(300) });

/** Who may have signed what, as a token is checked for it. */
interface Expected {
  readonly key: Parameters<typeof jwtVerify>[1];
  readonly algorithms: readonly string[];
  readonly audience: string;
  readonly issuer?: string;
  readonly typ?: string;
}

const verified = async (text: string, { key, algorithms, ...expected }: Expected, now: Date): Promise<unknown> => {
  try {
    const { payload } = await jwtVerify(text, key as never, {
      ...expected,
      algorithms: [...algorithms],
      requiredClaims: ['iat', 'exp', 'sub'],
      maxTokenAge: mostAge,
      clockTolerance: mostAhead,
      currentDate: now,
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new ContextRefused('context-age');
    if (error instanceof errors.JWTClaimValidationFailed) {
      if (error.claim === 'aud' || error.claim === 'iss') throw new ContextRefused('context-audience');
      if (error.claim === 'iat' || error.claim === 'nbf' || error.claim === 'exp') throw new ContextRefused('context-age');
      throw new ContextRefused('context');
    }
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed)
      throw new ContextRefused('context-signature');
    throw new ContextRefused('context');
  }
};

const parsed = <T>(schema: z.ZodType<T>, payload: unknown): T => {
  const { data, success } = schema.safeParse(payload);
  if (!success) throw new ContextRefused('context');
  return data;
};

/**
 * Reads a context that is a signed token (RFC 7519), for the frame at this address. Whether it was used before isn't looked at. Throws `ContextRefused`.
 */
export const readContext = async (
  text: string,
  { signed, address, now }: { readonly signed: SignedPageSection; readonly address: string; readonly now: Date },
): Promise<ReadContext> => {
  if (text.length > longest) throw new ContextRefused('context');
  const rest = {
    once: text.slice(0, text.lastIndexOf('.')),
    // As `maxTokenAge` and its tolerance take it.
    until: (iat: number) => new Date((iat + mostAge + mostAhead) * 1_000),
  };
  if (signed.kind === 'rt') {
    const key = new TextEncoder().encode(signed.secret);
    const expected = { key, algorithms: ['HS256'], audience: address, typ: 'counterfoil-context+jwt' };
    const { sub, ticket, iat } = parsed(rtClaims, await verified(text, expected, now));
    return { user: { name: sub }, reference: ticket, once: rest.once, until: rest.until(iat) };
  }
  const site = `${signed.subdomain}.zendesk.com`;
  const audience = `https://${site}/api/v2/apps/installations/${signed.installation}.json`;
  const expected = { key: signed.publicKey as never, algorithms: ['RS256'], audience, issuer: site };
  const { sub, iat } = parsed(zendeskClaims, await verified(text, expected, now));
  const [, user] = new RegExp(`^https://${site.replaceAll('.', '\\.')}/api/v2/users/(\\d{1,20})\\.json$`).exec(sub) ?? [];
  if (user === undefined) throw new ContextRefused('context');
  return { user: { reference: user }, reference: null, once: rest.once, until: rest.until(iat) };
};
