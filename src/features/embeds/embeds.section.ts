import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { httpUrl, type SectionContext, sourceName, webhookSecret } from '../../section';

/** An origin as browsers write it: no path, no wildcard, which would let in whoever gets a name there. */
const origin = (section: SectionContext) =>
  httpUrl(section).refine(
    // A URL's host may be "*.example.com", which a policy reads as all of them.
    (url) =>
      URL.canParse(url) && new URL(url).origin === url && /^https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/.test(url),
    'expected an origin such as https://rt.example.com, without a path or a slash at its end',
  );

/** An RSA key in a PEM file (RFC 7468) of 2,048 bits at least. */
const publicKey = ({ folder }: SectionContext) =>
  z.string().transform((path, context): KeyObject => {
    try {
      const key = createPublicKey(readFileSync(isAbsolute(path) ? path : join(folder, path), 'utf8'));
      if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048) return key;
    } catch {
      // Told below.
    }
    context.addIssue({ code: 'custom', message: 'expected the path of a PEM file with a public RSA key' });
    return z.NEVER;
  });

/** What a helpdesk signs of its pages, and how that is checked. */
const signedSection = (section: SectionContext) =>
  z.discriminatedUnion('kind', [
    z.strictObject({
      /** The extension for Request Tracker in `console/rt`: user and ticket, HMAC-SHA-256. */
      kind: z.literal('rt'),
      secret: webhookSecret(section),
    }),
    z.strictObject({
      /** Zendesk's signed addresses of apps (`signedUrls`): the user, RSA and SHA-256. The ticket isn't in it. */
      kind: z.literal('zendesk'),
      subdomain: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected the account’s name before .zendesk.com'),
      /** The number of the app's installation. */
      installation: z.int().min(1),
      publicKey: publicKey(section),
    }),
  ]);
export type SignedSection = z.output<ReturnType<typeof signedSection>>;

/** In which helpdesks' pages the panel is shown. */
export const embedsSection = (section: SectionContext) =>
  z
    .array(
      z
        .strictObject({
          /** One of `sources.helpdesk`. */
          source: sourceName,
          /** The pages that may hold its frame: the helpdesk's, and where that holds it in a frame of its own, that one's. */
          origins: z.array(origin(section)).min(1, 'expected at least one origin').max(8, 'expected at most 8 origins'),
          signed: signedSection(section).optional(),
          /** A ticket is shown in a frame only where the helpdesk signed for it. */
          signatureRequired: z.boolean().default(false),
        })
        .refine(({ signed, signatureRequired }) => signed !== undefined || !signatureRequired, {
          path: ['signatureRequired'],
          error: 'expected false where nothing says how the helpdesk signs (signed)',
        }),
    )
    .max(64, 'expected at most 64 helpdesks')
    .default([]);

export type EmbedsSection = z.output<ReturnType<typeof embedsSection>>;
export type EmbedSection = EmbedsSection[number];
