import { z } from 'zod';
import { roles } from '../actor';
import { claimPath } from './claim-path';

/** What a token may be signed with: asymmetric only, so that no key that verifies can also sign. */
export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  // The same as EdDSA, under a name that says which curve (RFC 9864, 2.2).
  'Ed25519',
] as const;

/** One of them, as a configuration names it. */
export const signatureAlgorithm = z.enum(signatureAlgorithms, {
  error: `a signature algorithm out of ${signatureAlgorithms.join(', ')}; none and the HS family are never accepted`,
});

/** The longest life of a token, seconds: revocations are kept for as long, and no longer. */
export const longestLifetimeSeconds = 900;

/** Methods of RFC 8176 that prove one thing that somebody knows, or nothing about a person at all. */
const noSecondFactor = new Set(['pwd', 'password', 'pin', 'kba', 'rba', 'geo', 'user', 'wia', 'pop', 'sso', 'fed']);

/** Contexts that say of themselves that a password was enough: OpenID Connect Core 2 (`0`), SAML's, NIST SP 800-63's. */
const contextOfOneFactor = /^(?:0|(?:.*[:/])?(?:password|passwordprotectedtransport|unspecified|[ai]al-?1|loa-?[01]|basic))$/i;

/** Every way to a second factor that is none. */
const weakFactors = ({ amr, acr }: { readonly amr: readonly string[]; readonly acr: readonly string[] }) => [
  ...amr.flatMap((methods, index) =>
    methods.split('+').every((method) => noSecondFactor.has(method.trim().toLowerCase())) ? [['amr', index] as const] : [],
  ),
  ...acr.flatMap((context, index) => (contextOfOneFactor.test(context) ? [['acr', index] as const] : [])),
];

const names = (what: string) =>
  z.array(z.string().min(1, `${what} may not be empty`), { error: `a list of ${what}` }).max(64, `at most 64 ${what}`);

const audiences = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: 'the audience that tokens for this gateway carry, or a list of them',
  })
  .transform((given) => (typeof given === 'string' ? [given] : given));

const roleName = z.enum(roles, { error: `a role of the gateway: ${roles.join(', ')}` });

const claims = z.strictObject({
  /** The claim with the person's roles or groups: a text or a list of texts. */
  roles: claimPath.prefault('roles'),
  /** From the provider's words to roles. Without it the claim's values must equal role names. Unknown values are ignored. */
  roleMap: z.record(z.string(), roleName, { error: 'a map from values of the roles claim to roles' }).optional(),
  /** The claim with the person's teams. */
  teams: claimPath.prefault('teams'),
  /** What proves a second factor. None of it given: nobody has one. */
  mfa: z
    .strictObject({
      /**
       * Authentication methods (RFC 8176), any of which suffices. `pwd+otp` asks for both together, for providers that
       * list single methods only: `otp` by itself may be a code sent by mail, which is one factor.
       */
      amr: names('authentication methods').default(['mfa']),
      /** Authentication context classes, any of which suffices. */
      acr: names('authentication context classes').default([]),
    })
    .prefault({}),
  /**
   * The claim by which the person is found among the helpdesk's staff: login name or e-mail. Choose one that people can't
   * edit themselves. `email` counts only with `email_verified: true` beside it.
   */
  staff: claimPath.prefault('preferred_username'),
  /**
   * The claim with what the person is called, for auditors and privacy officers alone. Where a token doesn't have it, what `staff` names stands for it.
   */
  name: claimPath.prefault('name'),
  /**
   * The claim that says on which of their devices a person is, where the provider proves that. A session that goes to and fro between two of
   * them has been taken along.
   */
  device: claimPath.optional(),
  /** How a token of a service is recognised: by its role SERVICE, or by a claim that only services have. */
  service: z
    .union([z.literal('role'), z.strictObject({ claim: claimPath, values: names('values').min(1, 'at least one value') })], {
      error: 'either the word role (the role SERVICE marks a service), or claim and values',
    })
    .default('role'),
});

const common = {
  /** The issuer identifier, compared with the `iss` claim character by character. */
  issuer: z
    .string({ error: 'the issuer identifier, exactly as the provider writes it into iss' })
    .min(1, 'may not be empty')
    .max(512, 'at most 512 characters'),
  audience: audiences,
  /** Audience of back-channel logout tokens (the client id at the provider), where it differs from `audience`. */
  logoutAudience: audiences.optional(),
  algorithms: z
    .array(signatureAlgorithm)
    .min(1, 'at least one algorithm')
    .default(['RS256', 'ES256', 'EdDSA', 'Ed25519', 'PS256']),
  /** By how much the provider's clock may differ from ours, seconds. */
  clockSkewSeconds: z.int().min(0).max(120, 'at most 120 seconds').default(30),
  /** Longest accepted `exp - iat`, seconds. */
  maxLifetimeSeconds: z
    .int()
    .min(1, 'at least one second')
    .max(longestLifetimeSeconds, `at most ${longestLifetimeSeconds} seconds: set the provider to issue short tokens`)
    .default(longestLifetimeSeconds),
  claims: claims.prefault({}),
  /**
   * Whose tokens must be bound to a key of theirs, whose possession is proven with each request (DPoP, RFC 9449): everybody's (true), or of those
   * with one of these roles. Of all others bound tokens are taken too, and no bound token is ever taken without its proof.
   */
  dpopRequired: z
    .union([z.boolean(), z.array(roleName).min(1, 'at least one role')], {
      error: `true, false or a list of roles: ${roles.join(', ')}`,
    })
    .default(false),
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Says what is wrong with the address of a key set, null when nothing is. */
const keySetAddressFault = (address: string, development: boolean): string | null => {
  if (!URL.canParse(address)) return 'an absolute https address of the key set (jwks_uri in the provider’s discovery document)';
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') return 'may hold no user name or password';
  if (url.hash !== '') return 'may hold no fragment';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:' && isLoopback(url.hostname))
    return development ? null : 'must be https; http on this machine is for development only';
  return 'must be https: whoever can change the answer on its way can sign in as anybody';
};

const keySetAddress = (development: boolean) =>
  z.string({ error: 'the https address of the provider’s key set' }).superRefine((address, context) => {
    const fault = keySetAddressFault(address, development);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  });

/** One item of `identity.issuers` in the configuration file. `development` allows http to this machine. */
export const issuerConfiguration = ({ development }: { readonly development: boolean }) =>
  z.strictObject({ ...common, jwksUri: keySetAddress(development) }).superRefine(({ claims: { mfa } }, context) => {
    if (development) return;
    for (const place of weakFactors(mfa))
      context.addIssue({
        code: 'custom',
        path: ['claims', 'mfa', ...place],
        message: 'must prove a second factor: one that somebody has or is, such as mfa, hwk, fpt or pwd+otp',
      });
  });

const unique = (issuers: readonly { readonly issuer: string }[], context: z.core.$RefinementCtx): void => {
  const seen = new Set<string>();
  issuers.forEach(({ issuer }, index) => {
    if (seen.has(issuer))
      context.addIssue({ code: 'custom', path: [index, 'issuer'], message: 'is configured twice', input: issuer });
    seen.add(issuer);
  });
};

/** `identity.issuers` in the configuration file. */
export const issuersConfiguration = (environment: { readonly development: boolean }) =>
  z.array(issuerConfiguration(environment), { error: 'a list of issuers' }).superRefine(unique);

/** Public keys given directly instead of an address, for an issuer that lives in the same process. */
const givenKeys = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** What the verifiers take: the configuration, or the same with `keys` in place of `jwksUri`. */
export const trustedIssuers = ({ development }: { readonly development: boolean }) =>
  z
    .array(
      z
        .strictObject({ ...common, jwksUri: keySetAddress(development).optional(), keys: givenKeys.optional() })
        .refine((issuer) => (issuer.jwksUri === undefined) !== (issuer.keys === undefined), 'exactly one of jwksUri and keys'),
    )
    .superRefine(unique);

export type IssuerOptions = z.input<ReturnType<typeof trustedIssuers>>[number];
export type Issuer = z.output<ReturnType<typeof trustedIssuers>>[number];
export type IssuerConfiguration = z.output<ReturnType<typeof issuerConfiguration>>;
