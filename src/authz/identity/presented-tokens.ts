import { Failure } from '../../failure';
import type { ProofVerifier, SentProof } from './proof-verifier';
import { tokenFailure } from './token-fault';
import type { TokenVerifier, VerifiedToken } from './token-verifier';

/** What a request says of who sends it. */
export interface Presented {
  /** The header `Authorization`, or what stands for it. */
  readonly authorization: string | undefined;
  /** What was sent beside it; where nothing can be, no bound token is taken. */
  readonly proof?: SentProof;
}

export const authorizationSchemes = ['Bearer', 'DPoP'] as const;
export type AuthorizationScheme = (typeof authorizationSchemes)[number];

/** Scheme and token of an `Authorization` header (RFC 6750, 2.1; RFC 9449, 7.1); null for anything else. */
export const credentialsIn = (
  authorization: string | undefined,
): { readonly scheme: AuthorizationScheme; readonly token: string } | null => {
  const [, named, token] = /^(Bearer|DPoP) +([^\s]+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) return null;
  return { scheme: named?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
};

/** A token whose sender has proven that it is theirs, as far as it is bound to anybody. */
export interface ProvenToken {
  readonly token: VerifiedToken;
  /** By which the next proof should be made; null where that may stay as it is. */
  readonly nextNonce: string | null;
  /** The same token as it is now. The proof was for the request that it came with: this is for what goes on in the connection of that one alone. */
  again(): Promise<VerifiedToken>;
}

/** The one way from what was sent to who sent it: a token that is bound to a key counts only with a proof, however well the token is known. */
export class PresentedTokens {
  constructor(
    private readonly tokens: TokenVerifier,
    private readonly proofs: ProofVerifier,
  ) {}

  /** By which proofs are made that need one. */
  get nonce(): string {
    return this.proofs.nonce;
  }

  /** Throws `UNAUTHENTICATED` with the fault as `rule`, `UPSTREAM_UNAVAILABLE` where keys can't be had, `OVERLOADED` where there is no room for a proof. */
  async verify({ authorization, proof }: Presented): Promise<ProvenToken> {
    const credentials = credentialsIn(authorization);
    if (credentials === null)
      throw new Failure('UNAUTHENTICATED', 'No token was sent.', {
        remedy:
          'Send "Authorization: Bearer TOKEN" with a token of your identity provider, or "Authorization: DPoP TOKEN" where it is bound to a key.',
      });
    const { scheme, token: text } = credentials;
    const again = () => this.tokens.verify(text);
    const token = await again();
    if (token.boundTo === undefined) {
      if (scheme === 'DPoP') throw tokenFailure('unbound');
      return { token, nextNonce: null, again };
    }
    if (scheme !== 'DPoP') throw tokenFailure('unproven');
    const nextNonce = await this.proofs.verify(proof ?? { text: undefined, method: '', path: '' }, text, token.boundTo);
    return { token, nextNonce, again };
  }
}
