import { useSearchParams } from 'wouter';
import { PolicyPreview, type PolicyPreviewData } from '../../graph/operations';
import type { Refusal } from '../../graph/refusals';
import { useGraph } from '../../graph/use';
import { Choice } from '../../parts/choice';
import { Answered, Reason } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { links, oneOf, PolicyParts, roles, useRoleOptions, Verdict } from './parts';
import { policyTexts, previewTexts, verdictTexts } from './texts';

type Field = PolicyPreviewData['policyPreview']['fields'][number];

/** Parts of the panel by where their values stand; the longest that fits is a value's part. */
const sections = [
  ['ticket.customer.paymentMethods', 'paymentMethods'],
  ['ticket.customer.transactions', 'transactions'],
  ['ticket.credentialUpdates', 'credentialUpdates'],
  ['ticket.recognitions', 'recognitions'],
  ['ticket.assistance', 'assistance'],
  ['ticket.messages', 'messages'],
  ['ticket.customer', 'customer'],
  ['ticket', 'ticket'],
  ['alerts', 'alerts'],
  ['holds', 'holds'],
] as const;
type Section = (typeof sections)[number][1];
const inOrder: readonly Section[] = [
  ...(['ticket', 'assistance', 'messages', 'customer', 'paymentMethods', 'transactions'] as const),
  ...(['credentialUpdates', 'recognitions', 'alerts', 'holds'] as const),
];

const sectionOf = ({ path }: Field): (typeof sections)[number] | undefined =>
  sections.find(([beginning]) => path === beginning || path.startsWith(`${beginning}.`));

/** Without what leads to its part, and without places in lists of one. */
const nameIn = (field: Field): string => {
  const [beginning = ''] = sectionOf(field) ?? [];
  const rest = field.path.slice(beginning.length).replace(/\.nodes\b/g, '');
  return rest.replace(/\.\d+\b/g, '').replace(/^\./, '') || beginning;
};

const kindOf = ({ verdict }: Field): string => verdict.split(':')[0] ?? '';

/** What whoever is denied would be told. */
const denied = ({ reason, remedy, coordinate }: Field): Refusal => ({
  code: 'DENIED',
  reason,
  rule: coordinate,
  message: '',
  remedy,
  path: [],
  place: [],
  retryAfter: null,
});

const Value = ({ field }: { readonly field: Field }) => {
  const t = useText(previewTexts);
  if (field.value !== null) return <Foreign text={field.value} />;
  if (field.reason === 'LINK') return <span className="not-shown">{t('forWantOfLink')}</span>;
  if (field.reason !== null)
    return (
      <span className="not-shown" data-reason={field.reason}>
        <Reason refusal={denied(field)} />
      </span>
    );
  return <span className="not-shown">{t('nothing')}</span>;
};

/** The panel as somebody of a role would have it, of a ticket that is made up. */
export default () => {
  const t = useText(previewTexts);
  const p = useText(policyTexts);
  const v = useText(verdictTexts);
  const roleOptions = useRoleOptions();
  const [search, setSearch] = useSearchParams();
  const role = oneOf(roles, search.get('role'));
  const assurance = oneOf(links, search.get('link'));
  const mfa = search.get('mfa') !== 'no';
  const isWithheldOnly = search.get('show') === 'withheld';
  const answer = useGraph(PolicyPreview, { role, mfa, assurance });
  const change = (changes: Readonly<Record<string, string>>) =>
    setSearch(
      { role, mfa: mfa ? 'yes' : 'no', link: assurance, show: isWithheldOnly ? 'withheld' : 'all', ...changes },
      { replace: true },
    );
  const countOf = (fields: readonly Field[], kind: string) => fields.filter((field) => kindOf(field) === kind).length;
  return (
    <Page title={t('title')}>
      <PolicyParts />
      <p>{t('about')}</p>
      <form className="sheet policy-choices" aria-label={p('choose')} onSubmit={(event) => event.preventDefault()}>
        <Choice label={p('role')} value={role} options={roleOptions} choose={(value) => change({ role: value })} />
        <Choice
          label={p('mfa')}
          value={mfa ? 'yes' : 'no'}
          options={[
            { value: 'yes', name: p('mfaYes') },
            { value: 'no', name: p('mfaNo') },
          ]}
          choose={(value) => change({ mfa: value })}
        />
        <Choice
          label={p('link')}
          value={assurance}
          options={links.map((link) => ({ value: link, name: v(link) }))}
          choose={(value) => change({ link: value })}
        />
        <Choice
          label={t('show')}
          value={isWithheldOnly ? 'withheld' : 'all'}
          options={[
            { value: 'all', name: t('everything') },
            { value: 'withheld', name: t('withheld') },
          ]}
          choose={(value) => change({ show: value })}
        />
      </form>
      <Answered answer={answer}>
        {({ policyPreview: { fields } }) => (
          <div className="policy-table">
            <p role="status">
              {t('counted', {
                shown: countOf(fields, 'reveal'),
                masked: countOf(fields, 'mask'),
                omitted: countOf(fields, 'omit'),
                denied: countOf(fields, 'deny'),
              })}
            </p>
            {inOrder.map((section) => {
              const own = fields.filter((field) => sectionOf(field)?.[1] === section);
              if (own.length === 0) return null;
              return (
                <Table
                  key={section}
                  caption={t(section)}
                  empty={`${t(section)}: ${t('nothingWithheld')}`}
                  rows={own.filter((field) => !isWithheldOnly || kindOf(field) !== 'reveal')}
                  keyOf={({ path }) => path}
                  columns={[
                    { key: 'field', title: t('field'), cell: (field) => <code>{nameIn(field)}</code> },
                    { key: 'value', title: t('value'), cell: (field) => <Value field={field} /> },
                    {
                      key: 'verdict',
                      title: t('verdict'),
                      cell: ({ verdict, line }) => <Verdict verdict={verdict} line={line} />,
                    },
                  ]}
                />
              );
            })}
          </div>
        )}
      </Answered>
    </Page>
  );
};
