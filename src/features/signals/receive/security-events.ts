import { createHash } from 'node:crypto';
import * as errors from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import { z } from 'zod';
import { signatureAlgorithms } from '../../../authz/identity/issuer';
import { type KeySet, KeySetUnreachable } from '../../../authz/identity/key-set';
import { Failure } from '../../../failure';
import type { KeyedDigests } from '../../../privacy/digests';
import { containsCardNumber } from '../../../privacy/redaction';
import type { Signal, SignalType } from '../../../risk/signal';

/** Media type of a security event token (RFC 8417) that is pushed (RFC 8935). */
export const securityEvent = 'application/secevent+jwt';

/** Error codes of RFC 8935, section 2.4, that are answered here. */
type SetError = 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience';

/** A token that isn't taken: nothing of it is kept. */
export class SetRefused extends Error {
  constructor(
    readonly err: SetError,
    readonly description: string,
  ) {
    super(err);
    this.name = 'SetRefused';
  }
}

const longestToken = 65_536;
/** Seconds by which an issuer's clock may be ahead of ours. */
const longestAhead = 300;

/** What each event means here; others are acknowledged, and nothing of them is kept. */
const meanings: Readonly<Record<string, { readonly type: SignalType; readonly change?: 'contact' }>> = {
  'https://schemas.openid.net/secevent/risc/event-type/recovery-activated': { type: 'account.recovery' },
  'https://schemas.openid.net/secevent/risc/event-type/identifier-changed': { type: 'credential.changed', change: 'contact' },
  'https://schemas.openid.net/secevent/caep/event-type/session-revoked': { type: 'session.revoked' },
};

const name = z.string().min(1).max(255);
/** Subject identifiers (RFC 9493) that name an account; RISC of before called the format `subject_type`, with hyphens. */
const simple = z.looseObject({
  format: z.string().optional(),
  subject_type: z.string().optional(),
  iss: name.optional(),
  sub: name.optional(),
  id: name.optional(),
  email: name.optional(),
});
const subjectSchema = simple.extend({ user: simple.optional(), session: simple.optional() });
/** Halves of characters can't be told apart once they are stored: of two tokens one would count as the other. */
const tokenId = name.refine((text) => !/\p{Cs}/u.test(text));
const seconds = z.number().min(0).max(100_000_000_000);
const claimsSchema = z.looseObject({
  iss: z.string(),
  jti: tokenId,
  iat: seconds,
  toe: seconds.optional(),
  sub_id: subjectSchema.optional(),
  events: z.record(z.string(), z.looseObject({ subject: subjectSchema.optional(), event_timestamp: seconds.optional() })),
});

/** Whom a token is about: an account at its issuer, or one session of it. */
export interface AboutAccount {
  readonly issuer: string;
  /** The account's `sub`, or whatever else it is named by; null where only a session is named. */
  readonly account: string | null;
  readonly emailDomain: string | null;
  readonly sessionId: string | null;
  /** What ends where their session does; nothing where no `sub` and no session is named. An identifier without a kind may be either. */
  readonly ends: readonly { readonly subject: string | null; readonly sessionId: string | null }[];
}

/** One event of a token that means something here. */
export interface TokenEvent extends Pick<Signal, 'id' | 'occurredAt' | 'facts'> {
  readonly type: SignalType;
  readonly about: AboutAccount;
}

/** Whose tokens a sender may push. */
export interface TokenTrust {
  /** The sender's name. */
  readonly source: string;
  readonly issuer: string;
  readonly audience: string;
  readonly keySet: KeySet;
}

const refusalOf = (error: unknown): Error => {
  if (error instanceof KeySetUnreachable || error instanceof errors.JWKSTimeout)
    return new Failure('UPSTREAM_UNAVAILABLE', 'The issuer’s keys can’t be fetched just now.', { retryAfter: 10 });
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return new SetRefused('invalid_audience', 'the token is for somebody else');
    if (error.claim === 'iss') return new SetRefused('invalid_issuer', 'the issuer is not the one that is configured');
    return new SetRefused('invalid_request', 'a claim or the type is missing or not what RFC 8417 says');
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid || error instanceof errors.JWTExpired)
    return new SetRefused('invalid_request', 'not a security event token that is valid now');
  return new SetRefused('invalid_key', 'not signed by a key of the issuer');
};

const verified = async (token: string, { issuer, audience, keySet }: TokenTrust, now: Date): Promise<unknown> => {
  const options = { algorithms: [...signatureAlgorithms], issuer, audience, typ: 'secevent+jwt', currentDate: now };
  const verify = async () => (await jwtVerify(token, keySet.key, { ...options, clockTolerance: longestAhead })).payload;
  try {
    return await verify().catch(async (error: unknown) => {
      // The key of that id may be another one by now.
      if (error instanceof errors.JWSSignatureVerificationFailed && (await keySet.renew())) return verify();
      throw error;
    });
  } catch (error) {
    throw refusalOf(error);
  }
};

const aboutOf = (subject: z.output<typeof subjectSchema>, issuer: string): AboutAccount => {
  const account = subject.user ?? subject;
  const opaque = subject.session === undefined || subject.user ? account.id : undefined;
  const theirs = account.sub ?? opaque ?? null;
  const sessionId = subject.session?.id ?? null;
  const isEither = account.sub === undefined && opaque !== undefined && sessionId === null;
  return {
    issuer: account.iss ?? issuer,
    account: theirs ?? account.email ?? null,
    emailDomain: account.email?.split('@').at(-1) || null,
    sessionId,
    ends: [
      ...(theirs === null && sessionId === null ? [] : [{ subject: theirs, sessionId }]),
      ...(isEither ? [{ subject: null, sessionId: opaque }] : []),
    ],
  };
};

/** UUIDs, ULIDs, URNs and hexadecimal digits: an id that tells of nobody. */
const isPlainId = (jti: string): boolean => /^[A-Za-z0-9._:-]{1,255}$/.test(jti) && !containsCardNumber(jti);

/**
 * What a token tells that means something here; nothing where none of its events does. Throws `SetRefused`, and `UPSTREAM_UNAVAILABLE`
 * where the issuer's keys can't be had. A `jti` that may tell of somebody is a keyed digest here: no token is refused for how its issuer
 * numbers them, since a session may have to end by it.
 */
export const eventsIn = async (
  body: Buffer,
  trust: TokenTrust,
  digests: Pick<KeyedDigests, 'subject'>,
  now: Date,
): Promise<readonly TokenEvent[]> => {
  if (body.length > longestToken) throw new SetRefused('invalid_request', 'the token is too long');
  const parsed = claimsSchema.safeParse(await verified(body.toString('utf8').trim(), trust, now));
  if (!parsed.success) throw new SetRefused('invalid_request', 'a claim is missing or not what RFC 8417 says');
  const { jti, iat, toe, sub_id: whole, events, iss } = parsed.data;
  const id = isPlainId(jti) ? jti : digests.subject('jti', trust.source, jti);
  return Object.entries(events).flatMap(([uri, event], index) => {
    const meaning = Object.hasOwn(meanings, uri) ? meanings[uri] : undefined;
    if (!meaning) return [];
    const subject = event.subject ?? whole;
    if (!subject) throw new SetRefused('invalid_request', 'the token says of nobody that it happened to them');
    const at = toe ?? event.event_timestamp ?? iat;
    if (Math.max(at, iat) > now.getTime() / 1_000 + longestAhead)
      throw new SetRefused('invalid_request', 'what is told lies in the future');
    return [
      {
        id: index === 0 ? id : `${createHash('sha256').update(id).digest('base64url')}:${index}`,
        type: meaning.type,
        occurredAt: new Date(Math.floor(at * 1_000)),
        facts: meaning.change ? { change: meaning.change } : {},
        about: aboutOf(subject, iss),
      },
    ];
  });
};
