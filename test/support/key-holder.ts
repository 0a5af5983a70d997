import { createHash, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

/** What a test makes otherwise about a proof. */
export interface ProofChanges {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

/** Somebody who has a key, and proves it (RFC 9449). */
export class KeyHolder {
  private constructor(
    readonly algorithm: string,
    readonly privateKey: CryptoKey,
    /** With its private members. */
    readonly privateJwk: JWK,
    readonly publicJwk: JWK,
    readonly thumbprint: string,
  ) {}

  static async make(algorithm = 'ES256', options: { modulusLength?: number } = {}): Promise<KeyHolder> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true, ...options });
    const publicJwk = await exportJWK(publicKey);
    const privateJwk = await exportJWK(privateKey);
    return new KeyHolder(algorithm, privateKey, privateJwk, publicJwk, await calculateJwkThumbprint(publicJwk));
  }

  /** A proof of this key for a request with this token, made at `at`; `undefined` among the claims takes one away. */
  prove(
    { token, method = 'POST', address, at }: { token: string; method?: string; address: string; at: Date },
    { header = {}, claims = {} }: ProofChanges = {},
  ): Promise<string> {
    const ath = createHash('sha256').update(token).digest('base64url');
    const usual = { jti: randomUUID(), htm: method, htu: address, iat: Math.floor(at.getTime() / 1_000), ath };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: this.algorithm, typ: 'dpop+jwt', jwk: this.publicJwk, ...header } as JWTHeaderParameters)
      .sign(this.privateKey);
  }
}
