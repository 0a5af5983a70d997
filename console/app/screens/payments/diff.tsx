import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { PolicyDiff, type PolicyDiffData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
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
          { key: 'from', title: t('from'), cell: ({ before }) => <Verdict verdict={before} /> },
          { key: 'to', title: t('to'), cell: ({ after }) => <Verdict verdict={after} /> },
          { key: 'sentence', title: t('sentence'), cell: ({ sentence }) => <span lang="en">{sentence}</span> },
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
  const { problems, problemCount, changes, changeCount, disclosures, inForce, digest } = compared;
  if (problemCount > 0) return <Problems problems={problems} count={problemCount} />;
  return (
    <>
      <Changes changes={changes} count={changeCount} />
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

/** What a policy file would change. The file stays in this page until another one is chosen, and nowhere else. */
export default () => {
  const t = useText(diffTexts);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const result = useRef<HTMLElement>(null);
  const [problem, setProblem] = useState<'choose' | 'tooLarge' | 'unreadable' | null>(null);
  const [file, setFile] = useState<string | null>(null);
  const answer = useGraph(PolicyDiff, { file: file ?? '' }, { pause: file === null });
  const compare = async (event: FormEvent) => {
    event.preventDefault();
    const chosen = input.current?.files?.[0];
    const found = chosen === undefined ? 'choose' : chosen.size > largest ? 'tooLarge' : null;
    setProblem(found);
    if (found !== null || chosen === undefined) return input.current?.focus();
    const text = await chosen.text().catch(() => null);
    if (text === null) return setProblem('unreadable');
    if (text === file) answer.refresh();
    else setFile(text);
  };
  const isThere = file !== null && answer.state !== 'loading';
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
        <button type="submit">{t('compare')}</button>
      </form>
      {file === null ? null : (
        <section ref={result} tabIndex={-1} aria-label={t('result')} className="policy-table">
          <Answered answer={answer}>{({ policyDiff }) => <Result compared={policyDiff} />}</Answered>
        </section>
      )}
    </Page>
  );
};
