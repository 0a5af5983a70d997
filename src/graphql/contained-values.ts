import type { LinkAssurance } from '../authz/actor';
import { linkAssurances } from '../authz/actor';
import type { Searched } from '../authz/policy/marks';
import { type MaskName, type MaskTools, maskNamed } from '../authz/policy/mask';
import { permissiveness, type Verdict, type Verdicts } from '../authz/policy/verdict';
import { type ContainedKind, contactsIn, type KnownContact } from '../privacy/contacts-in-text';

/** The field whose verdict goes for a value wherever it stands. */
const fieldOf: Readonly<Record<ContainedKind, string>> = {
  EMAIL: 'Customer.email',
  PHONE: 'Customer.phone',
  LAST4: 'PaymentMethod.last4',
};

export interface ContainedOptions {
  readonly verdicts: ReadonlyMap<string, Verdicts>;
  /** Null where the text is shown without an assistance: then the strictest of all links goes for it. */
  readonly assurance: LinkAssurance | null;
  readonly known: KnownContact | null;
  readonly tools: MaskTools;
  readonly searched: Searched;
}

const strictest = (one: Verdict, other: Verdict): Verdict => (permissiveness(other) < permissiveness(one) ? other : one);

/** One object for each mask: disclosures count by it. */
const maskVerdicts = new Map<MaskName, Verdict>();
const asMask = (verdict: Verdict): Verdict & { readonly kind: 'mask' } => {
  const mask = verdict.kind === 'mask' ? verdict.mask : 'hidden';
  const known = maskVerdicts.get(mask) ?? { kind: 'mask', mask };
  maskVerdicts.set(mask, known);
  return known as Verdict & { readonly kind: 'mask' };
};

/**
 * A text with the e-mail addresses, telephone numbers and last digits of cards in it masked as the policy has it for their own fields, and the strictest
 * verdict that went for one of them: null where nothing was masked.
 */
export const withContainedMasked = (
  text: string,
  { verdicts, assurance, known, tools, searched }: ContainedOptions,
): { readonly text: string; readonly verdict: Verdict | null } => {
  let masked = '';
  let copied = 0;
  let verdict: Verdict | null = null;
  for (const { kind, start, end } of contactsIn(text, known)) {
    const own = verdicts.get(fieldOf[kind]);
    if (!own || (searched !== 'EVERYTHING' && kind !== 'EMAIL')) continue;
    const goes = assurance === null ? linkAssurances.map((each) => own[each]).reduce(strictest) : own[assurance];
    if (goes.kind === 'reveal') continue;
    const mask = asMask(goes);
    masked += text.slice(copied, start) + maskNamed(mask.mask).apply(text.slice(start, end), tools);
    copied = end;
    verdict = verdict === null ? mask : strictest(verdict, mask);
  }
  return verdict === null ? { text, verdict } : { text: masked + text.slice(copied), verdict };
};
