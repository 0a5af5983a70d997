import type { FetchImplementation, JWKSCacheInput, JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet } from 'jose/jwks/local';
import { createRemoteJWKSet, customFetch, jwksCache } from 'jose/jwks/remote';
import { z } from 'zod';

export interface KeySetOptions {
  /** Milliseconds for one request. */
  readonly timeout: number;
  /** Milliseconds after a request in which an unknown key id causes no other one. */
  readonly cooldown: number;
  /** Milliseconds after a failed request in which none is made. */
  readonly backoff: number;
  /** Milliseconds for which fetched keys are used. */
  readonly maxAge: number;
}

export const defaultKeySetOptions: KeySetOptions = { timeout: 3_000, cooldown: 10_000, backoff: 5_000, maxAge: 900_000 };

/** The issuer's keys can't be had. The message says why for the operator and holds nothing of a token. */
export class KeySetUnreachable extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'KeySetUnreachable';
  }
}

/** The keys by which an issuer's tokens are checked. */
export interface KeySet {
  readonly key: JWTVerifyGetKey;
  /** Changes with every fetch and is undefined while no key may be used: what was verified under another one is verified again. */
  edition(): unknown;
  /** Asks for the keys again, unless that was done a moment ago: an issuer may have put another key under an old id. Whether it did. */
  renew(): Promise<boolean>;
}

const longestDocument = 256 * 1024;
const document = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(256) });

/** Without the members of RFC 7518 that only private and symmetric keys have. */
export const isPublic = (key: Readonly<Record<string, unknown>>): boolean =>
  !['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].some((member) => Object.hasOwn(key, member));

const boundedText = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > longestDocument) throw new KeySetUnreachable('the key set is longer than 256 KiB');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
};

/** Two names for one algorithm of one curve (RFC 9864, 2.2): a key of it fits tokens of either. */
const withoutCurveName = (key: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  if (key.kty !== 'OKP' || key.crv !== 'Ed25519' || (key.alg !== 'EdDSA' && key.alg !== 'Ed25519')) return key;
  const { alg: _, ...rest } = key;
  return rest;
};

/** Private and symmetric keys in a set are left to jose, which verifies nothing by them. */
const checkedSet = (text: string): string => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new KeySetUnreachable('the key set is not JSON');
  }
  const set = document.safeParse(parsed);
  if (!set.success) throw new KeySetUnreachable('the key set is not a JWK Set (RFC 7517) of at most 256 keys');
  return JSON.stringify({ keys: set.data.keys.map(withoutCurveName) });
};

/**
 * The published key set of an issuer. Keys are fetched when first needed, again in the background from a third of their
 * age on (so that a short outage of the provider goes unnoticed), and for an unknown key id once a cooldown.
 */
export const remoteKeySet = (address: string, options: KeySetOptions, onFault: (why: string) => void): KeySet => {
  const fetched: JWKSCacheInput = {};
  let failedAt = Number.NEGATIVE_INFINITY;

  const requested: FetchImplementation = async (url, request) => {
    // jose counts its cooldown from the last success only: without this, a provider that is down gets a request a token.
    if (Math.abs(Date.now() - failedAt) < options.backoff) throw new KeySetUnreachable('a request failed just before');
    try {
      const response = await fetch(url, request);
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new KeySetUnreachable(`the key set answered with status ${response.status}`);
      }
      return new Response(checkedSet(await boundedText(response)));
    } catch (error) {
      failedAt = Date.now();
      const failure =
        error instanceof KeySetUnreachable
          ? error
          : new KeySetUnreachable(
              request.signal.aborted ? 'the key set did not answer in time' : 'the key set could not be fetched',
            );
      onFault(failure.message);
      throw failure;
    }
  };

  const remote = createRemoteJWKSet(new URL(address), {
    timeoutDuration: options.timeout,
    cooldownDuration: options.cooldown,
    cacheMaxAge: options.maxAge,
    [customFetch]: requested,
    [jwksCache]: fetched,
  });

  const refreshEarly = (): void => {
    const uat = 'uat' in fetched ? fetched.uat : undefined;
    if (uat === undefined || !remote.fresh || remote.reloading || Date.now() - uat < options.maxAge / 3) return;
    // The fault was told to `onFault`; the keys at hand stay good until their age is over.
    remote.reload().catch(() => undefined);
  };

  return {
    key: (header, token) => remote(header, token),
    edition: () => {
      refreshEarly();
      return remote.fresh && 'jwks' in fetched ? fetched.jwks : undefined;
    },
    renew: async () => {
      const uat = 'uat' in fetched ? fetched.uat : undefined;
      if (uat !== undefined && Math.abs(Date.now() - uat) < options.cooldown) return false;
      return remote.reload().then(
        () => true,
        () => false,
      );
    },
  };
};

/** Keys given directly. Throws when one of them is secret. */
export const givenKeySet = (given: { readonly keys: readonly Readonly<Record<string, unknown>>[] }): KeySet => {
  if (!given.keys.every(isPublic)) throw new TypeError('the keys of an issuer must be public');
  const local = createLocalJWKSet({ keys: given.keys.map((key) => ({ ...withoutCurveName(key), kty: String(key.kty) })) });
  return { key: local, edition: () => given, renew: async () => false };
};
