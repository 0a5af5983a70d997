import { type FormEvent, lazy, useEffect, useId, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';
import { PolicyDiff, type PolicyDiffData, PolicyVersions } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered, Later } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Pager, usePaging } from '../../parts/pager';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { useLanguage } from '../../text/language';
import { PolicyParts, Verdict } from './parts';
import { diffTexts, verdictTexts } from './texts';

type Compared = PolicyDiffData['policyDiff'];

/** Bytes of a file that is sent: the gateway says of a longer one no more than that. */
const largest = 65_536;

const Problems = ({ problems, count }: { readonly problems: Compared['problems']; readonly count: number }) => {
  const t = useText(diffTexts);
  return (
    <>
      <Table
        caption={t('problems', { count })}
        empty=""
        rows={problems.map((problem, index) => ({ ...problem, index }))}
        keyOf={({ index }) => String(index)}
        columns={[
          { key: 'line', title: t('line'), numeric: true, cell: ({ line }) => line ?? t('noLine') },
          { key: 'where', title: t('where'), cell: ({ path }) => <code>{path === '' ? '–' : <Foreign text={path} />}</code> },
          {
            key: 'what',
            title: t('what'),
            cell: ({ message }) => (
              <span lang="en">
                <Foreign text={message} />
              </span>
            ),
          },
        ]}
      />
      {count > problems.length ? <p className="quiet">{t('problemsCut', { count: problems.length })}</p> : null}
    </>
  );
};

type Change = Compared['changes'][number];

const InGerman = lazy(() => import('./changes.de'));

/** What a change is, in the reader's language: the gateway says it in English, with the words that it is about. */
const Told = ({ change, part }: { readonly change: Change; readonly part: 'from' | 'to' | 'sentence' }) => {
  const isGerman = useLanguage() === 'de';
  const said = { from: change.before, to: change.after, sentence: change.sentence }[part];
  if (part !== 'sentence' && change.kind === 'FIELD') return <Verdict verdict={said} />;
  if (!isGerman) return said;
  const english = <span lang="en">{said}</span>;
  return (
    <Later meanwhile={null} instead={english}>
      <InGerman change={change} part={part} />
    </Later>
  );
};

const looks = { EXPOSES: 'tag wrong', RESTRICTS: 'tag good', CHANGES: 'tag warn' } as const;

const Changes = ({ changes, count }: { readonly changes: Compared['changes']; readonly count: number }) => {
  const t = useText(diffTexts);
  const v = useText(verdictTexts);
  const common = useText(commonTexts);
  if (count === 0) return <p className="notice good">{t('same')}</p>;
  const of = (effect: Compared['changes'][number]['effect']) => changes.filter((change) => change.effect === effect);
  return (
    <>
      <p>{t('sums', { more: of('EXPOSES').length, less: of('RESTRICTS').length, otherwise: of('CHANGES').length })}</p>
      <Table
        caption={t('changes', { count })}
        empty=""
        // What shows more comes first: it is what a colleague has to look at.
        rows={[...of('EXPOSES'), ...of('CHANGES'), ...of('RESTRICTS')].map((change, index) => ({ ...change, index }))}
        keyOf={({ index }) => String(index)}
        columns={[
          { key: 'effect', title: t('effect'), cell: ({ effect }) => <span className={looks[effect]}>{t(effect)}</span> },
          { key: 'field', title: t('field'), cell: ({ coordinate }) => <code>{coordinate}</code> },
          {
            key: 'for',
            title: t('forWhom'),
            cell: ({ role, assurance }) =>
              [role === null ? t('allRoles') : common(`role${role}`), assurance === null ? null : v(assurance)]
                .filter(Boolean)
                .join(', '),
          },
          { key: 'from', title: t('from'), cell: (change) => <Told change={change} part="from" /> },
          { key: 'to', title: t('to'), cell: (change) => <Told change={change} part="to" /> },
          { key: 'sentence', title: t('sentence'), cell: (change) => <Told change={change} part="sentence" /> },
        ]}
      />
      {count > changes.length ? <p className="quiet">{t('changesCut', { count: changes.length })}</p> : null}
    </>
  );
};

const Lately = ({ disclosures }: { readonly disclosures: NonNullable<Compared['disclosures']> }) => {
  const t = useText(diffTexts);
  const { time } = useFormats();
  const { changed, examined, since, isComplete, showingMore, showingLess } = disclosures;
  return (
    <section className="sheet" aria-labelledby="lately">
      <h2 id="lately">{t('lately')}</h2>
      <p>
        <strong>{t(isComplete ? 'affected' : 'affectedLeast', { count: changed })}</strong>
      </p>
      <p>{t('ofExamined', { examined, since: time(since, 'utc'), more: showingMore, less: showingLess })}</p>
      <p className="quiet">{t('caveat')}</p>
    </section>
  );
};

const Result = ({ compared }: { readonly compared: Compared }) => {
  const t = useText(diffTexts);
  const { problems, problemCount, changes, changeCount, onlyOneNames, disclosures, inForce, digest } = compared;
  if (problemCount > 0) return <Problems problems={problems} count={problemCount} />;
  return (
    <>
      <Changes changes={changes} count={changeCount} />
      {onlyOneNames === 0 ? null : <p className="quiet">{t('onlyOne', { count: onlyOneNames })}</p>}
      {disclosures === null ? null : <Lately disclosures={disclosures} />}
      <h2>{t('digests')}</h2>
      <dl className="facts sheet">
        <div>
          <dt>{t('inForce')}</dt>
          <dd>
            <code className="digest">{inForce}</code>
          </dd>
        </div>
        <div>
          <dt>{t('sent')}</dt>
          <dd>
            <code className="digest">{digest}</code>
          </dd>
        </div>
      </dl>
    </>
  );
};

/** Enough of a digest to tell it from others. */
const short = (digest: string): string => digest.slice(0, 12);

/** Those that were in force, one of which may be chosen. */
const Versions = ({ chosen, choose }: { readonly chosen: string | null; readonly choose: (digest: string) => void }) => {
  const t = useText(diffTexts);
  const { time } = useFormats();
  const paging = usePaging();
  const answer = useGraph(PolicyVersions, { after: paging.after });
  return (
    <section className="policy-table" aria-labelledby="versions">
      <h2 id="versions">{t('versions')}</h2>
      <Answered answer={answer}>
        {({ policyVersions: { nodes, totalCount, pageInfo } }) => (
          <>
            <Table
              caption={t('versionsCount', { count: totalCount })}
              empty={t('noVersions')}
              rows={nodes}
              keyOf={({ digest }) => digest}
              columns={[
                { key: 'since', title: t('keptAt'), cell: ({ keptAt }) => time(keptAt, 'utc') },
                {
                  key: 'digest',
                  title: t('digest'),
                  cell: ({ digest, isInForce }) => (
                    <>
                      <code className="digest">{digest}</code>{' '}
                      {isInForce ? <span className="tag good">{t('nowInForce')}</span> : null}
                      {digest === chosen ? <span className="tag">{t('chosen')}</span> : null}
                    </>
                  ),
                },
                {
                  key: 'compare',
                  title: t('compare'),
                  cell: ({ digest, isInForce }) =>
                    isInForce ? null : (
                      <button
                        type="button"
                        className="small"
                        aria-label={t('compareWith', { digest: short(digest) })}
                        onClick={() => choose(digest)}
                      >
                        {t('compare')}
                      </button>
                    ),
                },
              ]}
            />
            <Pager paging={paging} page={pageInfo} />
          </>
        )}
      </Answered>
    </section>
  );
};

/** What a policy file, or a policy that was in force, would change. The digest of that one stands in the address. The file stays in this page until another one is chosen, and nowhere else. */
export default () => {
  const t = useText(diffTexts);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const result = useRef<HTMLElement>(null);
  const [problem, setProblem] = useState<'choose' | 'tooLarge' | 'unreadable' | null>(null);
  const [file, setFile] = useState<string | null>(null);
  const [search, setSearch] = useSearchParams();
  const version = file === null ? search.get('version') : null;
  const answer = useGraph(PolicyDiff, { file, version }, { pause: file === null && version === null });
  const choose = (digest: string) => {
    setFile(null);
    if (digest === version) answer.refresh();
    else setSearch({ version: digest }, { replace: true });
  };
  const compare = async (event: FormEvent) => {
    event.preventDefault();
    const chosen = input.current?.files?.[0];
    const found = chosen === undefined ? 'choose' : chosen.size > largest ? 'tooLarge' : null;
    setProblem(found);
    if (found !== null || chosen === undefined) return input.current?.focus();
    const text = await chosen.text().catch(() => null);
    if (text === null) return setProblem('unreadable');
    setSearch({}, { replace: true });
    if (text === file) answer.refresh();
    else setFile(text);
  };
  const isAsked = file !== null || version !== null;
  const isThere = isAsked && answer.state !== 'loading';
  useEffect(() => {
    if (isThere) result.current?.focus();
  }, [isThere]);
  return (
    <Page title={t('title')}>
      <PolicyParts />
      <p>{t('about')}</p>
      <form className="sheet" onSubmit={(event) => void compare(event)} noValidate>
        <div className="field">
          <label htmlFor={id}>{t('file')}</label>
          <p className="hint" id={`${id}-hint`}>
            {t('hint')}
          </p>
          {problem === null ? null : (
            <p className="problem" id={`${id}-problem`} role="alert">
              {t(problem)}
            </p>
          )}
          <input
            id={id}
            ref={input}
            type="file"
            accept=".yaml,.yml"
            aria-describedby={`${id}-hint${problem === null ? '' : ` ${id}-problem`}`}
            aria-invalid={problem !== null}
            onChange={() => setProblem(null)}
          />
        </div>
        <button type="submit">{t('compareFile')}</button>
      </form>
      <Versions chosen={version} choose={choose} />
      {!isAsked ? null : (
        <section ref={result} tabIndex={-1} aria-label={t('result')} className="policy-table">
          <Answered answer={answer}>{({ policyDiff }) => <Result compared={policyDiff} />}</Answered>
        </section>
      )}
    </Page>
  );
};
