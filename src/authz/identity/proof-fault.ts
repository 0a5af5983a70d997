import { Failure } from '../../failure';

/** Why a proof of possession (RFC 9449, 4.3) was not accepted: stable words, nothing of the proof. */
export const proofFaults = {
  missing: ['No proof was sent with the token.', 'Send one DPoP proof of this request in the header DPoP.'],
  length: ['The proof is too long.', 'At most 8192 characters.'],
  malformed: [
    'There is not one proof that is a signed JWT.',
    'Send one DPoP header with one JWT, or dpop among connectionParams.',
  ],
  type: ['The proof is of another type.', 'Its header has typ dpop+jwt.'],
  algorithm: ['The proof’s algorithm is not accepted.', 'Use one of those in WWW-Authenticate (algs); none and HS* never are.'],
  header: ['The proof has a header that must be understood and is not.', 'Leave crit and b64 out.'],
  key: [
    'The proof’s key is none that is accepted.',
    'jwk holds the public key alone: EC of the algorithm’s curve, OKP with Ed25519, or RSA of 2048 to 4096 bits.',
  ],
  binding: ['The token is bound to another key than the proof’s.', 'Sign proofs with the key that the token was asked for with.'],
  signature: ['The proof’s signature is wrong.', 'Sign it with the private half of its jwk.'],
  claims: [
    'The proof lacks a claim, or one has the wrong type.',
    'jti, htm, htu, iat and ath are needed; jti has at most 256 characters.',
  ],
  method: ['The proof is for another method.', 'htm is the method of this request; GET for a web socket.'],
  address: [
    'The proof is for another address.',
    'htu is the address of this request as identity.dpop.addresses (or publicUrl) has it, without query and fragment; https for a web socket.',
  ],
  token: ['The proof is for another token.', 'ath is the base64url SHA-256 of the token that is sent with it.'],
  time: [
    'The proof’s time is too far from the gateway’s.',
    'Check the clock, or make another proof with the nonce in the header DPoP-Nonce.',
  ],
  nonce: [
    'The proof needs a nonce of the gateway’s that is still good.',
    'Make another proof with the nonce in the header DPoP-Nonce.',
  ],
  repeated: ['The proof was used before.', 'Make a new proof, with its own jti, for each request.'],
} as const satisfies Record<string, readonly [message: string, remedy: string]>;
export type ProofFault = keyof typeof proofFaults;

/** `UNAUTHENTICATED`, with `rule` `proof.<fault>`. */
export const proofFailure = (fault: ProofFault): Failure =>
  new Failure('UNAUTHENTICATED', proofFaults[fault][0], { rule: `proof.${fault}`, remedy: proofFaults[fault][1] });

/** Whether another proof, with a nonce, would do. */
export const asksForNonce = ({ details: { rule } }: Failure): boolean => rule === 'proof.time' || rule === 'proof.nonce';
