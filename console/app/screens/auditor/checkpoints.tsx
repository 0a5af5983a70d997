import type { ProvenContinuation } from '../../../verifier/steps';
import { LogCheckpoint, LogCheckpointAndKeys, type LogCheckpointData, TreesContinue } from '../../graph/operations';
import { offline } from '../../graph/refusals';
import { askOnce, useGraph } from '../../graph/use';
import { Answered } from '../../parts/notices';
import { Table } from '../../parts/table';
import { Ago, Time, useNow } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { useBrought } from './brought';
import { Stated } from './events-table';
import { Facts } from './facts';
import { BroughtText } from './keys';
import { LogScreen } from './nav';
import { offeredKeys } from './offered-keys';
import { save } from './own-files';
import { computed, type Proof, Proving } from './proving';
import { ContinuationList } from './steps';
import { TakeAlong } from './take-along';
import { auditorTexts } from './texts';
import { Verdict } from './verdict';

type Checkpoint = NonNullable<LogCheckpointData['auditCheckpoint']>;

/** Milliseconds after which a log that is alive has signed again: it says what time it is each minute. */
const freshFor = 150_000;

const Latest = ({ checkpoint }: { readonly checkpoint: Checkpoint }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const now = useNow(15);
  const { origin, treeSize, rootHash, signedAt, note, unanchored, anchors } = checkpoint;
  const isFresh = now - Date.parse(signedAt) < freshFor;
  return (
    <>
      {unanchored ? (
        <div className="notice warn" data-unanchored>
          <p>
            <strong>UNANCHORED</strong>
          </p>
          <p>{t('unanchored')}</p>
        </div>
      ) : null}
      <p className={isFresh ? 'notice good' : 'notice warn'} data-fresh={isFresh}>
        {t(isFresh ? 'fresh' : 'notFresh')} <Ago at={signedAt} />
      </p>
      <div className="sheet">
        <h2>{t('latest')}</h2>
        <Facts
          facts={[
            [t('origin'), <Stated key="origin" text={origin} />],
            [t('treeSize'), number(treeSize)],
            [t('signedAt'), <Time key="at" at={signedAt} zone="utc" seconds />],
            [
              t('rootHash'),
              <code key="root" className="hash">
                {rootHash}
              </code>,
            ],
          ]}
        />
        <h3>{t('note')}</h3>
        <p className="hint">{t('noteHint')}</p>
        <pre className="leaf" dir="ltr">
          {note}
        </pre>
        <p className="actions">
          <button
            type="button"
            className="other"
            onClick={() => save(`checkpoint-${treeSize}.txt`, new Blob([note], { type: 'text/plain' }))}
          >
            {t('keep')}
          </button>
        </p>
      </div>
      <Table
        caption={t('anchorsCaption')}
        empty={t('anchors_NONE')}
        rows={anchors}
        keyOf={({ anchor }) => anchor}
        columns={[
          { key: 'anchor', title: t('anchor'), cell: ({ anchor }) => <Stated text={anchor} /> },
          { key: 'size', title: t('treeSize'), numeric: true, cell: (each) => number(each.treeSize) },
          {
            key: 'behind',
            title: t('behind'),
            numeric: true,
            cell: (each) => number(Math.max(0, treeSize - each.treeSize)),
          },
          { key: 'at', title: t('anchoredAt'), cell: ({ anchoredAt }) => <Time at={anchoredAt} zone="utc" seconds /> },
        ]}
      />
    </>
  );
};

const compare = async (kept: string, keys: string, witnesses: string): Promise<Proof<ProvenContinuation>> => {
  const { data, refusals } = await askOnce(LogCheckpointAndKeys, {});
  const latest = data?.auditCheckpoint ?? null;
  if (data === null || latest === null) return { kind: 'refused', refusal: refusals.first ?? offline };
  return computed(async ({ keptTree, proveContinuation }, reads) => {
    reads('kept');
    const tree = keptTree(kept);
    const isComparable = tree.origin === latest.origin && tree.size >= 1 && tree.size <= latest.treeSize;
    const { data: shown } = isComparable
      ? await askOnce(TreesContinue, { from: tree.size, to: latest.treeSize })
      : { data: null };
    reads('keys');
    return proveContinuation({
      kept,
      current: latest.note,
      path: shown?.auditConsistencyProof?.path ?? null,
      keys: { own: keys, offered: offeredKeys(data.offered), witnesses },
    });
  });
};

const titles = { kept: 'step_kept', current: 'step_current', origin: 'step_origin', path: 'step_continues' } as const;

/** Holds the log as it is now against a checkpoint that the auditor kept. */
const Comparison = () => {
  const t = useText(auditorTexts);
  const { kept, keys, witnesses } = useBrought();
  return (
    <section aria-labelledby="comparison">
      <h2 id="comparison">{t('comparison')}</h2>
      <p>{t('comparisonIntro')}</p>
      <Proving
        label={t('comparison')}
        button={t('compare')}
        prove={() => compare(kept, keys, witnesses)}
        fields={(problemOf) => (
          <>
            <BroughtText name="kept" problem={problemOf('kept')} />
            <BroughtText name="keys" problem={problemOf('keys')} />
          </>
        )}
      >
        {({ verdict, failedAt, checkedTwice, steps }) => (
          <Verdict
            of="continuation"
            verdict={verdict}
            failedAt={failedAt === null ? null : t(titles[failedAt])}
            checkedTwice={checkedTwice}
          >
            <ContinuationList steps={steps} />
          </Verdict>
        )}
      </Proving>
    </section>
  );
};

export default () => {
  const t = useText(auditorTexts);
  const answer = useGraph(LogCheckpoint, {}, { every: 60 });
  return (
    <LogScreen title={t('checkpoints')}>
      <p>{t('checkpointsIntro')}</p>
      <Answered answer={answer}>
        {({ auditCheckpoint }) =>
          auditCheckpoint === null ? <p className="notice warn">{t('noCheckpoint')}</p> : <Latest checkpoint={auditCheckpoint} />
        }
      </Answered>
      <Comparison />
      <TakeAlong />
    </LogScreen>
  );
};
