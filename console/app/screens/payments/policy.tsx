import { useEffect, useRef } from 'react';
import { useSearchParams } from 'wouter';
import { PolicyMatrix, type PolicyMatrixData, PolicyTypes, PolicyWhy, type Role } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Choice } from '../../parts/choice';
import { Answered } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Table } from '../../parts/table';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { links, oneOf, PolicyParts, roles, useRoleOptions, Verdict } from './parts';
import { policyTexts, verdictTexts } from './texts';

type Row = PolicyMatrixData['exposure'][number];

/** How the policy covers the graph, and the types there are. */
const Coverage = ({ types }: { readonly types: (names: readonly string[]) => React.ReactNode }) => {
  const t = useText(policyTexts);
  const v = useText(verdictTexts);
  const common = useText(commonTexts);
  const answer = useGraph(PolicyTypes, {});
  return (
    <Answered answer={answer}>
      {({ policyCoverage: { digest, fields, types: typeCount, policed, filters, sorts, classes, roles: byRole }, exposure }) => (
        <>
          {types([...new Set(exposure.map(({ coordinate }) => coordinate.split('.')[0] ?? ''))].sort())}
          <section className="sheet" aria-labelledby="coverage">
            <h2 id="coverage">{t('coverage')}</h2>
            <p>{t('covered', { fields, types: typeCount, policed })}</p>
            <p>{t('narrowing', { filters, sorts })}</p>
            <Table
              caption={t('byRole')}
              empty=""
              rows={byRole}
              keyOf={({ role }) => role}
              columns={[
                { key: 'role', title: t('role'), cell: ({ role }) => common(`role${role}`) },
                { key: 'reveal', title: v('reveal'), numeric: true, cell: ({ reveal }) => reveal },
                { key: 'mask', title: v('mask'), numeric: true, cell: ({ mask }) => mask },
                { key: 'omit', title: v('omit'), numeric: true, cell: ({ omit }) => omit },
                { key: 'deny', title: v('deny'), numeric: true, cell: ({ deny }) => deny },
              ]}
            />
            <Table
              caption={t('byClass')}
              empty=""
              rows={classes.filter(({ count }) => count > 0)}
              keyOf={(row) => row.class}
              columns={[
                { key: 'class', title: t('class'), cell: (row) => row.class },
                { key: 'count', title: t('count'), numeric: true, cell: ({ count }) => count },
              ]}
            />
            <p>
              {t('digest')}: <code className="digest">{digest}</code>
            </p>
          </section>
        </>
      )}
    </Answered>
  );
};

/** The entry that decides one field, under each link, and what would lift it. */
const Why = ({ field, role, mfa }: { readonly field: string; readonly role: Role; readonly mfa: boolean }) => {
  const t = useText(policyTexts);
  const v = useText(verdictTexts);
  const common = useText(commonTexts);
  const heading = useRef<HTMLHeadingElement>(null);
  const answer = useGraph(PolicyWhy, { field, role, mfa });
  // Asked for by a press somewhere else on the page. biome-ignore lint/correctness/useExhaustiveDependencies: another field is another press
  useEffect(() => heading.current?.focus(), [field]);
  return (
    <section className="sheet" aria-labelledby="why">
      <h2 id="why" tabIndex={-1} ref={heading}>
        {t('why', { field, role: common(`role${role}`) })}
      </h2>
      <Answered answer={answer}>
        {({ verified, matched, none }) => (
          <Table
            caption={t('whyCaption')}
            empty=""
            rows={[
              { link: 'VERIFIED' as const, ...verified },
              { link: 'MATCHED' as const, ...matched },
              { link: 'NONE' as const, ...none },
            ]}
            keyOf={({ link }) => link}
            columns={[
              { key: 'link', title: t('underLink'), cell: ({ link }) => v(link) },
              { key: 'class', title: t('class'), cell: (row) => row.class },
              { key: 'verdict', title: t('verdict'), cell: ({ verdict }) => <Verdict verdict={verdict} /> },
              { key: 'most', title: t('most'), cell: ({ ceiling }) => <Verdict verdict={ceiling} /> },
              {
                key: 'entry',
                title: t('entry'),
                cell: ({ decidedBy, line }) =>
                  decidedBy === null ? (
                    t('noEntry')
                  ) : (
                    <>
                      <code>{decidedBy}</code>
                      {line === null ? null : ` ${v('line', { line: String(line) })}`}
                    </>
                  ),
              },
              { key: 'lift', title: t('lift'), cell: ({ lift }) => <span lang="en">{lift}</span> },
            ]}
          />
        )}
      </Answered>
    </section>
  );
};

/** Who sees which field, masked how, and where the file says so. */
export default () => {
  const t = useText(policyTexts);
  const v = useText(verdictTexts);
  const common = useText(commonTexts);
  const roleOptions = useRoleOptions();
  const [search, setSearch] = useSearchParams();
  const type = search.get('type') ?? 'Customer';
  const role = oneOf(roles, search.get('role'));
  const mfa = search.get('mfa') !== 'no';
  const field = search.get('field');
  const answer = useGraph(PolicyMatrix, { type, mfa });
  const change = (changes: Readonly<Record<string, string>>) =>
    setSearch({ type, role, mfa: mfa ? 'yes' : 'no', ...changes }, { replace: true });
  const verdictsOf = (row: Row, link: (typeof links)[number]) => {
    const found = row.verdicts.find((each) => each.role === role && each.assurance === link);
    return found === undefined ? null : <Verdict verdict={found.verdict} line={found.line} />;
  };
  const narrowing = ({ filterableBy, sortableBy }: Row) =>
    [filterableBy.includes(role) ? t('searchable') : null, sortableBy.includes(role) ? t('sortable') : null]
      .filter((each) => each !== null)
      .join(', ') || t('neither');
  return (
    <Page title={t('title')}>
      <PolicyParts />
      <div className="policy-table">
        <Coverage
          types={(names) => (
            <>
              <form className="sheet policy-choices" aria-label={t('choose')} onSubmit={(event) => event.preventDefault()}>
                <Choice
                  label={t('type')}
                  value={type}
                  options={(names.includes(type) ? names : [type, ...names]).map((name) => ({ value: name, name }))}
                  choose={(value) => change({ type: value })}
                />
                <Choice label={t('role')} value={role} options={roleOptions} choose={(value) => change({ role: value })} />
                <Choice
                  label={t('mfa')}
                  value={mfa ? 'yes' : 'no'}
                  options={[
                    { value: 'yes', name: t('mfaYes') },
                    { value: 'no', name: t('mfaNo') },
                  ]}
                  choose={(value) => change({ mfa: value })}
                />
              </form>
              {field === null ? null : <Why field={field} role={role} mfa={mfa} />}
              <Answered answer={answer}>
                {({ exposure }) => (
                  <Table
                    caption={t('verdictsOf', { type, role: common(`role${role}`) })}
                    empty={t('noType')}
                    rows={exposure}
                    keyOf={({ coordinate }) => coordinate}
                    columns={[
                      {
                        key: 'field',
                        title: t('field'),
                        cell: ({ coordinate }) => (
                          <button
                            type="button"
                            className="small"
                            aria-label={t('whyOf', { field: coordinate })}
                            onClick={() => change({ field: coordinate })}
                          >
                            {coordinate.slice(coordinate.indexOf('.') + 1)}
                          </button>
                        ),
                      },
                      { key: 'class', title: t('class'), cell: (row) => row.class },
                      ...links.map((link) => ({ key: link, title: v(link), cell: (row: Row) => verdictsOf(row, link) })),
                      { key: 'narrow', title: t('narrow'), cell: narrowing },
                    ]}
                  />
                )}
              </Answered>
            </>
          )}
        />
      </div>
    </Page>
  );
};
