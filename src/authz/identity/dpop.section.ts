import { z } from 'zod';
import { isInClear, type SectionContext } from '../../section';
import { signatureAlgorithm } from './issuer';

const address = ({ production }: Pick<SectionContext, 'production'>) => {
  const expected = 'expected an address such as https://gateway.example.com, without query, fragment or credentials';
  return z
    .url({ protocol: /^https?$/, error: expected })
    .max(512, 'expected at most 512 characters')
    .refine((text) => {
      if (!URL.canParse(text)) return true;
      const { search, hash, username, password } = new URL(text);
      return !/[?#]/.test(text) && `${search}${hash}${username}${password}` === '';
    }, expected)
    .refine((text) => !production || !isInClear(text), 'expected https: a token must not travel in clear')
    .transform((text) => text.replace(/\/+$/, ''));
};

/** `identity.dpop`: how it is proven that a token is used by whom it was given to (RFC 9449). */
export const dpopSection = ({ production }: Pick<SectionContext, 'production'>) =>
  z
    .strictObject({
      /** Where clients reach the gateway, as they write it into `htu`, without `/graphql`. `publicUrl` where none is given. */
      addresses: z
        .array(address({ production }))
        .min(1, 'expected at least one address')
        .max(16, 'expected at most 16')
        .optional(),
      /** What proofs may be signed with. */
      algorithms: z
        .array(signatureAlgorithm)
        .min(1, 'at least one algorithm')
        .default(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256']),
      /** By how much the time of a proof (`iat`) may differ from the gateway's, seconds, either way. */
      proofSeconds: z.int().min(5, 'expected 5 to 300 seconds').max(300, 'expected 5 to 300 seconds').default(60),
      /** Each proof has to carry a nonce of the gateway's. Where it is false, only those whose time is off have to. */
      nonces: z.boolean().default(false),
    })
    .prefault({});

export type DpopSettings = z.output<ReturnType<typeof dpopSection>>;
