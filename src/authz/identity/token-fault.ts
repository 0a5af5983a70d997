import { Failure } from '../../failure';

/** Why a token was not accepted: stable words, nothing of the token. The remedy is for whoever sent it or set up the provider. */
export const tokenFaults = {
  malformed: ['The token is not a signed JWT.', 'Send the three-part token of the identity provider, unchanged.'],
  length: ['The token is too long.', 'At most 65536 characters; have the provider leave claims out.'],
  values: [
    'A claim of the token has more values than can be judged.',
    'At most 1000 roles, groups or teams; have the provider write only those of this gateway.',
  ],
  algorithm: [
    'The token’s algorithm is not accepted.',
    'Use one of the algorithms configured for the issuer; none and HS* never are.',
  ],
  type: ['The token is of another type.', 'Access tokens and logout tokens are told apart by typ and events.'],
  header: ['The token has a header that must be understood and is not.', 'Have the provider leave crit and b64 out.'],
  issuer: ['The token’s issuer is not trusted.', 'identity.issuers names the issuers, exactly as they stand in iss.'],
  audience: ['The token is meant for somebody else.', 'Ask the provider for a token with the configured audience.'],
  expired: ['The token has expired.', 'Get a new token.'],
  'not-yet-valid': ['The token is not valid yet.', 'Check the clocks of the provider and of the gateway.'],
  'issued-in-future': ['The token was issued in the future.', 'Check the clocks of the provider and of the gateway.'],
  lifetime: ['The token lives too long.', 'Have the provider issue tokens of 15 minutes or what the issuer’s limit is.'],
  claims: [
    'The token lacks a claim, or one has the wrong type.',
    'iss, sub, aud, exp and iat are needed; sid and jti are texts.',
  ],
  key: [
    'The token’s key is not among the issuer’s usable keys.',
    'Get a new token; if it persists, check the issuer’s key set and kid.',
  ],
  signature: ['The token’s signature is wrong.', 'Send the token of the identity provider, unchanged.'],
  bound: [
    'The token is bound to a key in a way that is not known here.',
    'Have the provider bind it by DPoP (cnf with jkt alone), or issue a bearer token for this audience (without cnf).',
  ],
  certificate: [
    'The token is bound to a client certificate, which is not looked at here.',
    'Have the provider bind it by DPoP (RFC 9449), or issue a bearer token for this audience.',
  ],
  unproven: [
    'The token is bound to a key, and was sent as if it weren’t.',
    'Send "Authorization: DPoP TOKEN" with a proof in the header DPoP (RFC 9449).',
  ],
  unbound: [
    'The token is not bound to a key.',
    'Get one that is bound by DPoP where that is asked for (dpopRequired); otherwise send "Authorization: Bearer TOKEN".',
  ],
  revoked: ['The session has ended.', 'Sign in again.'],
  logout: [
    'The logout token is incomplete or has a nonce.',
    'OpenID Connect Back-Channel Logout 1.0, section 2.4: events, jti, sub or sid, and no nonce.',
  ],
} as const satisfies Record<string, readonly [message: string, remedy: string]>;
export type TokenFault = keyof typeof tokenFaults;

/** `UNAUTHENTICATED`, with `rule` `token.<fault>`. */
export const tokenFailure = (fault: TokenFault): Failure =>
  new Failure('UNAUTHENTICATED', tokenFaults[fault][0], { rule: `token.${fault}`, remedy: tokenFaults[fault][1] });
