import type { FramePolicy } from './file';

/** In which helpdesk's pages the panel is shown, as far as a policy is judged by it. */
export interface ConfiguredEmbed {
  readonly source: string;
  /** How the helpdesk signs; without it, it signs nothing. */
  readonly signed?: { readonly kind: string } | undefined;
}

/** A helpdesk that has a card with a link has no frame: there is nothing to demand of. */
const withoutFrame = 'intercom';
const signs = ({ signed }: ConfiguredEmbed): boolean => signed !== undefined && signed.kind !== withoutFrame;

/** What of the section `frames` asks what nobody can bring. */
export const unmetDemands = (
  { signatureRequired }: FramePolicy,
  embeds: readonly ConfiguredEmbed[],
): readonly { readonly path: readonly string[]; readonly message: string }[] =>
  signatureRequired.flatMap((source, index) => {
    const path = ['frames', 'signatureRequired', String(index)];
    const embed = embeds.find((each) => each.source === source);
    if (embed && signs(embed)) return [];
    const names = embeds.filter(signs).map((each) => each.source);
    const expected =
      names.length > 0 ? `expected one of those that sign: ${names.join(', ')}` : 'expected none: no helpdesk signs';
    const message = embed
      ? `signs nothing of its frames (embeds[].signed), so none would show a ticket; ${expected}`
      : `is no helpdesk of embeds; ${expected}`;
    return [{ path, message }];
  });

/** Helpdesks that sign what their pages say, though the policy shows tickets there without that, too. */
export const undemanded = ({ signatureRequired }: FramePolicy, embeds: readonly ConfiguredEmbed[]): readonly string[] =>
  embeds.filter((each) => signs(each) && !signatureRequired.includes(each.source)).map(({ source }) => source);
