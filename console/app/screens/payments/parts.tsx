import { Link, useLocation } from 'wouter';
import type { Role } from '../../graph/operations';
import type { Option } from '../../parts/choice';
import { type Place, paths } from '../../paths';
import { useSession } from '../../session';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { policyTexts, verdictTexts } from './texts';

export const roles = [
  'AGENT',
  'SUPERVISOR',
  'PAYMENTS',
  'AUDITOR',
  'PRIVACY',
  'SERVICE',
  'ADMIN',
] as const satisfies readonly Role[];
export const links = ['VERIFIED', 'MATCHED', 'NONE'] as const;

/** One of these words, or the first of them for anything that an address may say. */
export const oneOf = <const Word extends string>(words: readonly Word[], found: string | null): Word =>
  words.find((word) => word === found) ?? (words[0] as Word);

/** Whose access is looked at. */
export const useRoleOptions = (): readonly Option<Role>[] => {
  const common = useText(commonTexts);
  return roles.map((role) => ({ value: role, name: common(`role${role}`) }));
};

const masks = ['hidden', 'digest', 'initial', 'name', 'last4', 'year', 'postal', 'phone', 'email', 'decline'] as const;
type MaskText = `mask${Capitalize<(typeof masks)[number]>}`;

const looks: Readonly<Record<string, string>> = { reveal: 'tag good', mask: 'tag warn', deny: 'tag wrong' };

/** A verdict in words: colour says nothing that they don't. */
export const Verdict = ({ verdict, line }: { readonly verdict: string; readonly line?: number | null }) => {
  const t = useText(verdictTexts);
  const [kind = '', how] = verdict.split(':');
  const mask = masks.find((name) => name === how);
  const word = ['reveal', 'mask', 'omit', 'deny', 'absent'].includes(kind) ? t(kind as 'reveal') : verdict;
  return (
    <>
      <span className={looks[kind] ?? 'tag'} data-verdict={verdict}>
        {word}
      </span>
      {mask === undefined ? null : ` ${t(`mask${mask.charAt(0).toUpperCase()}${mask.slice(1)}` as MaskText)}`}
      {line === null || line === undefined ? null : <span className="quiet"> {t('line', { line: String(line) })}</span>}
    </>
  );
};

const parts: readonly { readonly place: Place; readonly name: 'matrix' | 'preview' | 'diff'; readonly of: readonly Role[] }[] = [
  { place: 'policy', name: 'matrix', of: ['PAYMENTS', 'AUDITOR', 'PRIVACY', 'ADMIN'] },
  { place: 'policyPreview', name: 'preview', of: ['PAYMENTS', 'AUDITOR', 'ADMIN'] },
  { place: 'policyDiff', name: 'diff', of: ['PAYMENTS', 'AUDITOR'] },
];

/** From one part of the policy to the others. */
export const PolicyParts = () => {
  const t = useText(policyTexts);
  const { roles: own } = useSession();
  const [path] = useLocation();
  return (
    <nav aria-label={t('parts')} className="actions policy-parts">
      {parts
        .filter(({ of }) => of.some((role) => own.includes(role)))
        .map(({ place, name }) => (
          <Link key={place} href={paths[place]} aria-current={path === paths[place] ? 'page' : undefined}>
            {t(name)}
          </Link>
        ))}
    </nav>
  );
};
