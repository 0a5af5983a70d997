import type { ReactNode } from 'react';
import type { InclusionSteps, PathNode, ProvenContinuation, SignatureStep, StepState } from '../../../verifier/steps';
import { Table } from '../../parts/table';
import { Time } from '../../parts/time';
import { withUnseen } from '../../parts/unseen';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { Stated } from './events-table';
import { Facts } from './facts';
import { auditorTexts } from './texts';

const tags: Readonly<Record<StepState, string>> = { shown: 'tag good', wrong: 'tag wrong', open: 'tag warn' };

export const State = ({ state }: { readonly state: StepState }) => {
  const t = useText(auditorTexts);
  return <span className={tags[state]}>{t(`state_${state}`)}</span>;
};

/** One step: what was looked at, what came of it in words, and what it was done with. */
const Step = ({
  name,
  state,
  title,
  words,
  children,
}: {
  readonly name: string;
  readonly state: StepState;
  readonly title: string;
  readonly words: string;
  readonly children?: ReactNode;
}) => (
  <li className="sheet step" data-step={name} data-state={state}>
    <h3>
      {title} <State state={state} />
    </h3>
    <p>{words}</p>
    {children}
  </li>
);

const Hex = ({ value }: { readonly value: string | null }) => (value === null ? null : <code className="hash">{value}</code>);

const Says = ({ text }: { readonly text: string | null }) =>
  text === null ? null : (
    <p lang="en" className="quiet">
      <Stated text={text} />
    </p>
  );

const Nodes = ({ nodes }: { readonly nodes: readonly PathNode[] }) => {
  const t = useText(auditorTexts);
  return (
    <details>
      <summary>{t('pathNodes', { count: nodes.length })}</summary>
      <Table
        caption={t('pathCaption')}
        empty={t('pathNone')}
        rows={nodes.map((node, at) => ({ ...node, level: at + 1 }))}
        keyOf={({ level }) => String(level)}
        columns={[
          { key: 'level', title: t('level'), numeric: true, cell: ({ level }) => level },
          { key: 'side', title: t('side'), cell: ({ side }) => t(side) },
          { key: 'sibling', title: t('sibling'), cell: ({ sibling }) => <Hex value={sibling} /> },
          { key: 'node', title: t('node'), cell: ({ node }) => <Hex value={node} /> },
        ]}
      />
    </details>
  );
};

const Signature = ({
  name,
  title,
  step: { state, why, signers, keys, says },
}: {
  readonly name: string;
  readonly title: string;
  readonly step: SignatureStep;
}) => {
  const t = useText(auditorTexts);
  return (
    <Step name={name} state={state} title={title} words={t(`signature_${why}`)}>
      <Says text={says} />
      <Facts
        facts={[
          [
            t('signedBy'),
            signers.length === 0 ? null : (
              <ul key="signers" className="grounds mono">
                {signers.map((signer) => (
                  <li key={`${signer.name} ${signer.keyId}`}>
                    <Stated text={`${signer.name}+${signer.keyId}`} />
                  </li>
                ))}
              </ul>
            ),
          ],
          [
            t(why === 'BY_OFFERED_KEY' ? 'keysOffered' : 'keysOwn'),
            keys.length === 0 ? null : (
              <ul key="keys" className="grounds mono">
                {keys.map((key) => (
                  <li key={key}>
                    <Stated text={key} />
                  </li>
                ))}
              </ul>
            ),
          ],
        ]}
      />
    </Step>
  );
};

const Anchors = ({ step: { state, why, unanchored, each } }: { readonly step: InclusionSteps['anchors'] }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  return (
    <Step name="anchors" state={state} title={t('step_anchors')} words={t(`anchors_${why}`)}>
      {unanchored ? <p className="notice warn">{t('unanchored')}</p> : null}
      {each.length === 0 ? null : (
        <Table
          caption={t('anchorsCaption')}
          empty={t('anchors_NONE')}
          rows={each}
          keyOf={({ anchor, size }) => `${anchor} ${size}`}
          columns={[
            { key: 'anchor', title: t('anchor'), cell: ({ anchor }) => <Stated text={anchor} /> },
            { key: 'size', title: t('treeSize'), numeric: true, cell: ({ size }) => (size === null ? null : number(size)) },
            { key: 'at', title: t('anchoredAt'), cell: ({ anchoredAt }) => <Time at={anchoredAt} zone="utc" seconds /> },
            {
              key: 'state',
              title: t('finding'),
              cell: (anchor) => (
                <>
                  <State state={anchor.state} /> {t(`anchor_${anchor.why}`)}
                  {anchor.witness === null ? null : (
                    <>
                      {' '}
                      {t('witnessed')} <Stated text={anchor.witness.name} />, <Time at={anchor.witness.at} zone="utc" seconds />
                    </>
                  )}
                </>
              ),
            },
          ]}
        />
      )}
    </Step>
  );
};

/** The steps from an event to what others hold of the log. */
export const InclusionList = ({ steps }: { readonly steps: InclusionSteps }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const { event, leaf, hash, path, root, signature, anchors } = steps;
  return (
    <ol className="steps">
      <Step
        name="event"
        state={event.state}
        title={t('step_event')}
        words={
          event.state === 'wrong'
            ? t('event_wrong', { names: event.differing.join(', ') })
            : t(event.state === 'shown' ? 'event_shown' : 'event_open')
        }
      />
      <Step name="leaf" state={leaf.state} title={t('step_leaf')} words={t(`leaf_${leaf.why}`, { count: leaf.bytes })}>
        <Says text={leaf.says} />
        {leaf.text === null ? null : (
          <>
            <pre className="leaf" lang="en" dir="ltr">
              {withUnseen(leaf.text)}
            </pre>
            {withUnseen(leaf.text) === leaf.text ? null : <p className="notice warn">{t('leafUnseen')}</p>}
          </>
        )}
      </Step>
      <Step name="hash" state={hash.state} title={t('step_hash')} words={t(`hash_${hash.state}`)}>
        <Facts
          facts={[
            [t('computed'), hash.computed === null ? null : <Hex key="computed" value={hash.computed} />],
            [t('told'), <Hex key="told" value={hash.told} />],
          ]}
        />
      </Step>
      <Step
        name="path"
        state={path.state}
        title={t('step_path')}
        words={t(`path_${path.why ?? 'open'}`, { index: number(path.index), size: number(path.size) })}
      >
        {path.why === null ? null : <Nodes nodes={path.nodes} />}
      </Step>
      <Step name="root" state={root.state} title={t('step_root')} words={t(`root_${root.why ?? 'open'}`)}>
        <Facts
          facts={[
            [t('computed'), root.computed === null ? null : <Hex key="computed" value={root.computed} />],
            [t('signedRoot'), root.signed === null ? null : <Hex key="signed" value={root.signed} />],
          ]}
        />
      </Step>
      <Signature name="signature" title={t('step_signature')} step={signature} />
      <Anchors step={anchors} />
    </ol>
  );
};

/** The steps from a kept checkpoint to the log as it is now. */
export const ContinuationList = ({ steps: { kept, current, origin, path } }: { readonly steps: ProvenContinuation['steps'] }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  return (
    <ol className="steps">
      <Signature name="kept" title={t('step_kept')} step={kept} />
      <Signature name="current" title={t('step_current')} step={current} />
      <Step name="origin" state={origin.state} title={t('step_origin')} words={t(`origin_${origin.state}`)}>
        <Facts
          facts={[
            [t('keptOrigin'), origin.kept === null ? null : <Stated key="kept" text={origin.kept} />],
            [t('currentOrigin'), origin.current === null ? null : <Stated key="current" text={origin.current} />],
          ]}
        />
      </Step>
      <Step
        name="path"
        state={path.state}
        title={t('step_continues')}
        words={t(`continues_${path.why ?? 'open'}`, {
          from: path.from === null ? '?' : number(path.from),
          to: path.to === null ? '?' : number(path.to),
        })}
      />
    </ol>
  );
};
