import { createHash } from 'node:crypto';
import type { CryptoKey } from 'jose';
import * as errors from 'jose/errors';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { jwtVerify } from 'jose/jwt/verify';
import { importJWK } from 'jose/key/import';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Failure } from '../../failure';
import type { DpopSettings } from './dpop.section';
import { isPublic } from './key-set';
import { proofFailure } from './proof-fault';
import type { ProofNonces } from './proof-nonces';
import { objectIn } from './trusted-issuers';

/** Characters: a key of 4096 bits and its signature are a quarter of it. */
const longestProof = 8_192;
const longestAddress = 2_048;
/** The members that make a public key, by its kind: what RFC 7638 takes the thumbprint of, and all that is used of it. */
const publicKeys = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: z.string().max(88), y: z.string().max(88) }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().length(43) }),
  // 2048 to 4096 bits, and an exponent that verifying is quick with.
  z.object({ kty: z.literal('RSA'), n: z.string().min(342).max(683), e: z.string().min(2).max(6) }),
]);
type PublicKey = z.output<typeof publicKeys>;

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

const fits = (key: PublicKey, algorithm: string): boolean =>
  key.kty === 'EC'
    ? curves[algorithm] === key.crv
    : key.kty === 'OKP'
      ? algorithm === 'EdDSA' || algorithm === 'Ed25519'
      : /^[RP]S(?:256|384|512)$/.test(algorithm);

const claimsSchema = z.looseObject({
  jti: z.string().min(1).max(256),
  htm: z.string().max(32),
  htu: z.string().max(longestAddress),
  iat: z.number().min(0).max(100_000_000_000),
  ath: z.string().max(64),
  nonce: z.string().max(256).optional(),
});

/** Escapes of what needs none are taken away, others are in upper case (RFC 3986, 6.2.2). */
const normalPath = (path: string): string =>
  path.replace(/%([0-9a-f]{2})/gi, (written, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : written.toUpperCase();
  });

/**
 * What two addresses of one target have in common (RFC 9449, 4.3; RFC 3986, 6.2.2 and 6.2.3): scheme, host and port in their usual form, and the
 * path; neither query nor fragment. Null for what is no address of a request.
 */
export const targetOf = (address: string): string | null => {
  if (address.length > longestAddress || !/^https?:\/\/[\x21-\x7e]+$/i.test(address) || address.includes('\\')) return null;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  return url.username === '' && url.password === '' ? `${url.origin}${normalPath(url.pathname)}` : null;
};

/** What was sent to prove that a token is used by whom it was given to, and with which request. */
export interface SentProof {
  /** The header `DPoP`; undefined where there is none. */
  readonly text: string | undefined;
  readonly method: string;
  /** Of the request, from its first slash on and without its query. */
  readonly path: string;
}

/** Which proofs were taken. */
export interface UsedProofs {
  /** Whether it is the first time that this name is told. `until`: after that its proof isn't taken any more. Throws `OVERLOADED`. */
  take(name: string, until: Date): Promise<boolean>;
}

export interface ProofVerifierOptions {
  readonly settings: DpopSettings;
  /** Where clients may reach the gateway. */
  readonly addresses: () => readonly string[];
  readonly nonces: ProofNonces;
  readonly clock: () => Date;
  readonly used: UsedProofs;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Looks at proofs of possession of a token's key (RFC 9449, 4.3 and 7). */
export class ProofVerifier {
  /** Keys of tokens that were used lately, by thumbprint and algorithm. */
  private readonly keys = new LRUCache<string, CryptoKey>({ max: 2_000 });

  constructor(private readonly options: ProofVerifierOptions) {}

  /** By which proofs are made that need one; it changes each minute. */
  get nonce(): string {
    return this.options.nonces.current(this.options.clock());
  }

  /**
   * Accepts a proof of the key with this thumbprint, once. The nonce that the next one should have, where this one's client goes by nonces and
   * there is a newer one. Throws `UNAUTHENTICATED` with the fault as `rule`, and `OVERLOADED` where no further proof can be remembered.
   */
  async verify({ text, method, path }: SentProof, token: string, thumbprint: string): Promise<string | null> {
    if (text === undefined) throw proofFailure('missing');
    const claims = await this.signed(text, thumbprint);
    const { settings, nonces, used, clock } = this.options;
    if (claims.htm !== method) throw proofFailure('method');
    if (!this.isHere(claims.htu, path)) throw proofFailure('address');
    if (claims.ath !== sha256(token).toString('base64url')) throw proofFailure('token');
    const now = clock();
    const until = this.endOf(claims, now);
    // Whoever has the key chooses the name; it is theirs alone.
    const name = sha256(JSON.stringify([thumbprint, claims.jti])).toString('base64url');
    if (!(await used.take(name, until))) throw proofFailure('repeated');
    const current = nonces.current(now);
    return (settings.nonces || claims.nonce !== undefined) && claims.nonce !== current ? current : null;
  }

  /** The claims of a proof that this key has signed. What costs nothing is looked at first. */
  private async signed(text: string, thumbprint: string): Promise<z.output<typeof claimsSchema>> {
    if (text.length > longestProof) throw proofFailure('length');
    // Node joins what stands in several headers by a comma, which no JWT has.
    const [header, payload, ...rest] = text.split('.');
    const parsed = rest.length === 1 ? objectIn(header ?? '') : null;
    if (!parsed || !objectIn(payload ?? '')) throw proofFailure('malformed');
    const { typ, alg, jwk } = parsed;
    if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== 'dpop+jwt') throw proofFailure('type');
    const algorithm = this.options.settings.algorithms.find((each) => each === alg);
    if (algorithm === undefined) throw proofFailure('algorithm');
    if (Object.hasOwn(parsed, 'crit') || Object.hasOwn(parsed, 'b64')) throw proofFailure('header');
    const key = await this.keyOf(jwk, algorithm, thumbprint);
    try {
      const { payload: verified } = await jwtVerify(text, key, {
        algorithms: [algorithm],
        currentDate: this.options.clock(),
        clockTolerance: this.options.settings.proofSeconds,
      });
      const claims = claimsSchema.safeParse(verified);
      if (!claims.success) throw proofFailure('claims');
      return claims.data;
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (error instanceof errors.JWSSignatureVerificationFailed) throw proofFailure('signature');
      if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) throw proofFailure('claims');
      throw proofFailure('malformed');
    }
  }

  /** The public key of a header where it is the one with this thumbprint. */
  private async keyOf(jwk: unknown, algorithm: string, thumbprint: string): Promise<CryptoKey> {
    const parsed = publicKeys.safeParse(jwk);
    if (!parsed.success || !isPublic(jwk as Readonly<Record<string, unknown>>) || !fits(parsed.data, algorithm))
      throw proofFailure('key');
    if ((await calculateJwkThumbprint(parsed.data)) !== thumbprint) throw proofFailure('binding');
    const name = `${thumbprint} ${algorithm}`;
    const known = this.keys.get(name);
    if (known) return known;
    try {
      const imported = (await importJWK(parsed.data, algorithm)) as CryptoKey;
      this.keys.set(name, imported);
      return imported;
    } catch {
      // No point of the curve, or no key at all.
      throw proofFailure('key');
    }
  }

  private isHere(address: string, path: string): boolean {
    const target = targetOf(address);
    return target !== null && this.options.addresses().some((base) => targetOf(`${base}${path}`) === target);
  }

  /** Until when a proof is taken that is good now: as long as its nonce is, or else for a while from its own time on. */
  private endOf({ iat, nonce }: { readonly iat: number; readonly nonce?: string | undefined }, now: Date): Date {
    const { settings, nonces } = this.options;
    if (nonce !== undefined) {
      const end = nonces.endOf(nonce, now);
      if (end === null) throw proofFailure('nonce');
      return end;
    }
    if (settings.nonces) throw proofFailure('nonce');
    const allowed = settings.proofSeconds * 1_000;
    if (Math.abs(iat * 1_000 - now.getTime()) > allowed) throw proofFailure('time');
    return new Date(iat * 1_000 + allowed);
  }
}
