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
    z.strictObject({
      /** Requests of Intercom's Canvas Kit, HMAC and SHA-256 over their bytes: for a card with a link, as nobody can sign in inside of it. */
      kind: z.literal('intercom'),
      /** `workspace_id`: an app may be installed in several. */
      workspace: z.string().regex(/^[a-z0-9]{1,32}$/i, 'expected the id of the workspace, as its addresses have it'),
      /** The app's client secret. */
      secret: webhookSecret(section),
    }),
  ]);
type SignedSection = z.output<ReturnType<typeof signedSection>>;
/** Where a card with a link is shown, and no frame. */
export type CardSection = Extract<SignedSection, { readonly kind: 'intercom' }>;
/** Where a page says who is signed in there. */
export type SignedPageSection = Exclude<SignedSection, CardSection>;

/** In which helpdesks' pages the panel is shown, or a card that leads to it. */
export const embedsSection = (section: SectionContext) =>
  z
    .array(
      z
        .strictObject({
          /** One of `sources.helpdesk`. */
          source: sourceName,
          /** The pages that may hold its frame: the helpdesk's, and where that holds it in a frame of its own, that one's. */
          origins: z.array(origin(section)).max(8, 'expected at most 8 origins').default([]),
          signed: signedSection(section).optional(),
          /** How a page that can't write the ticket's number into the frame's address tells it: as Chatwoot does, by a message that nobody signs. */
          context: z.literal('chatwoot', 'expected chatwoot').optional(),
        })
        .superRefine(({ origins, signed, context: tells }, { addIssue }) => {
          const refuse = (path: string, message: string) => addIssue({ code: 'custom', path: [path], message });
          const isCard = signed?.kind === 'intercom';
          if (isCard && origins.length > 0) refuse('origins', 'expected none: Intercom’s pages hold a card, and no frame');
          if (!isCard && origins.length === 0) refuse('origins', 'expected at least one origin');
          if (signed && tells) refuse('context', 'expected none where the helpdesk signs (signed): nobody signs such a message');
        }),
    )
    .max(64, 'expected at most 64 helpdesks')
    .default([]);

export type EmbedsSection = z.output<ReturnType<typeof embedsSection>>;
type EmbedSection = EmbedsSection[number];
/** A helpdesk in whose pages the panel has a frame. */
export interface FramedSection extends Omit<EmbedSection, 'signed'> {
  readonly signed?: SignedPageSection | undefined;
}

export const hasFrame = (embed: EmbedSection): embed is FramedSection & EmbedSection => embed.signed?.kind !== 'intercom';
