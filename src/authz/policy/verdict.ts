import { type DenialReason, Failure } from '../../failure';
import type { LinkAssurance } from '../actor';
import type { Ceiling } from './classification';
import { isMaskName, type MaskName, type MaskTools, maskNamed, maskNames, maskValue } from './mask';

/** What happens to one field for one class of access. */
export type Verdict =
  | { readonly kind: 'reveal' }
  | { readonly kind: 'mask'; readonly mask: MaskName }
  /** Null, without an error. `lacksLink`: there is no link, and under one it is shown; whoever is told the link is told so. */
  | { readonly kind: 'omit'; readonly lacksLink?: true }
  /** Null, with an error that says why. */
  | { readonly kind: 'deny'; readonly reason: DenialReason };

export type Verdicts = Readonly<Record<LinkAssurance, Verdict>>;

/** As in the file: `reveal`, `mask:email`, `omit`, `deny`. */
export const verdictText = (verdict: Verdict): string => (verdict.kind === 'mask' ? `mask:${verdict.mask}` : verdict.kind);

/**
 * What a field's value becomes under its verdict.
 * @throws Failure `DENIED` under `deny`.
 */
export const applyVerdict = (verdict: Verdict, coordinate: string, value: unknown, tools: MaskTools): unknown => {
  switch (verdict.kind) {
    case 'reveal':
      return value;
    case 'mask':
      return maskValue(verdict.mask, value, tools);
    case 'omit':
      return null;
    case 'deny':
      throw Failure.denied(verdict.reason, coordinate);
  }
};

const reveal: Verdict = { kind: 'reveal' };
export const omit: Verdict = { kind: 'omit' };
export const omitForLackOfLink: Verdict = { kind: 'omit', lacksLink: true };
export const denied = (reason: DenialReason): Verdict => ({ kind: 'deny', reason });
export const always = (verdict: Verdict): Verdicts => ({ VERIFIED: verdict, MATCHED: verdict, NONE: verdict });

/** Order of permissiveness: reveal > mask, clearer masks first > omit > deny. */
export const permissiveness = (verdict: Verdict): number => {
  if (verdict.kind === 'reveal') return 1000;
  if (verdict.kind === 'mask') return 2 + maskNamed(verdict.mask).shows;
  return verdict.kind === 'omit' ? 1 : 0;
};
/** The permissiveness that a ceiling admits at most. */
export const ceilings: Record<Ceiling, number> = { reveal: 1000, mask: 999, omit: 1, deny: 0 };

const accepted = `expected reveal, omit, deny or mask:<how> with one of ${maskNames.join(', ')}`;

/** The verdict that an entry of the file means, or what is wrong with it. */
export const readVerdict = (text: string): Verdict | string => {
  if (text === 'reveal') return reveal;
  if (text === 'omit') return omit;
  // The one reason that a file can give: what else denies is decided elsewhere and named there.
  if (text === 'deny') return denied('ROLE');
  const [, name] = /^mask:(.*)$/.exec(text) ?? [];
  if (name === undefined) return `"${text}" is no verdict; ${accepted}`;
  return isMaskName(name) ? { kind: 'mask', mask: name } : `there is no mask "${name}"; ${accepted}`;
};
