import { z } from 'zod';
import type { SignedContext } from '../../authz/actor';
import { Failure } from '../../failure';
import { open, type SealedPlace, seal } from '../../privacy/sealing';
import type { Core } from '../core';
import { staffDigests } from '../keys/contact-digests';
import { cardTo, conversationIn } from './card-requests';
import type { CardSection, FramedSection } from './embeds.section';
import type { FrameUses } from './frame-uses';
import { type ContextFault, ContextRefused, readContext } from './signed-contexts';

/** For how long the page that a context came with may go on by it, milliseconds: as long as a browser's session may be at most, and one begun meanwhile. */
const receiptGoodFor = 24 * 3_600_000;

const receipt = z.strictObject({
  source: z.string(),
  reference: z.string().nullable(),
  user: z.union([z.array(z.string()), z.strictObject({ reference: z.string() })]),
  /** UTC milliseconds. */
  until: z.number(),
});

const place: SealedPlace = { table: 'frame_use', column: 'receipt', row: 'receipt' };

/** What a helpdesk signed isn't taken: forged, for somebody else, too old, or used. */
export class ContextDenied extends Failure {
  constructor(readonly why: ContextFault) {
    super('INVALID', 'What the helpdesk signed for this page isn’t taken: it is too old, was used, or isn’t for here.', {
      argument: 'context',
      rule: 'frame.context',
      remedy: 'Load the helpdesk’s page again.',
    });
  }
}

export interface ContextParts extends Pick<Core, 'keys' | 'clock' | 'publicUrl'> {
  readonly uses: FrameUses;
  readonly embedOf: (source: string) => FramedSection | undefined;
  readonly cardOf: (source: string) => CardSection | undefined;
}

/** What helpdesks sign for the pages that frames are in. Each is taken once; the page goes on by a receipt. */
export class Contexts {
  constructor(private readonly parts: ContextParts) {}

  /**
   * A receipt for what a helpdesk signed, by which its page goes on, whoever signs in there and how long that takes. It names nobody to who can't open
   * it, and gives nothing but to the person whom it names. Throws `ContextDenied`.
   */
  async take(source: string, context: string): Promise<string> {
    const { keys, clock, uses, embedOf, publicUrl } = this.parts;
    const signed = embedOf(source)?.signed;
    if (!signed) throw new ContextDenied('context');
    try {
      const now = clock();
      const { user, reference, once, until } = await readContext(context, {
        signed,
        address: `${publicUrl()}/embed/${source}`,
        now,
      });
      if (!(await uses.take('context', once, until))) throw new ContextRefused('context-used');
      const content: z.output<typeof receipt> = {
        source,
        reference,
        user: 'name' in user ? [...staffDigests(keys, user.name)] : user,
        until: now.getTime() + receiptGoodFor,
      };
      return seal(keys.frameKey, place, JSON.stringify(content)).toString('base64url');
    } catch (error) {
      if (error instanceof ContextRefused) throw new ContextDenied(error.why);
      throw error;
    }
  }

  /**
   * The card for a conversation that a helpdesk signed a request for: a link, made of what was signed alone. Whether there is such a ticket isn't looked at, so
   * that it tells nothing of that. Throws `ContextDenied`.
   */
  card(source: string, body: Buffer, signature: string | undefined): ReturnType<typeof cardTo> {
    const { cardOf, publicUrl } = this.parts;
    const signed = cardOf(source);
    if (!signed) throw new ContextDenied('context');
    try {
      const reference = conversationIn(body, signature, signed);
      return cardTo(`${publicUrl()}/t/${source}/${reference}`);
    } catch (error) {
      if (error instanceof ContextRefused) throw new ContextDenied(error.why);
      throw error;
    }
  }

  /** What a receipt says, for a frame of this helpdesk; null where it is none, or none of it. */
  opened(text: string | undefined, source: string): SignedContext | null {
    if (text === undefined || text.length > 4_096) return null;
    try {
      const content = receipt.parse(JSON.parse(open(this.parts.keys.frameKey, place, Buffer.from(text, 'base64url'))));
      const { reference, user, until } = content;
      return content.source === source && this.parts.clock().getTime() < until ? { reference, user } : null;
    } catch {
      return null;
    }
  }
}
