import { Link } from 'wouter';
import type { ProvenInclusion } from '../../../verifier/steps';
import { EventProof, LogEvent, type LogEventData, TreesContinue } from '../../graph/operations';
import { offline, type Refusals } from '../../graph/refusals';
import { askOnce, useGraph } from '../../graph/use';
import { Answered, NotShown, RefusalNotice } from '../../parts/notices';
import { Time } from '../../parts/time';
import { Who } from '../../parts/who';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { logPath } from './address';
import { useBrought } from './brought';
import { Actor, Outcome, RowsChecked, Stated, Subject } from './events-table';
import { Facts, ShownFields } from './facts';
import { BroughtText } from './keys';
import { LogScreen } from './nav';
import { notFound } from './not-found';
import { offeredKeys } from './offered-keys';
import { readOwn } from './own-files';
import { computed, type Proof, Proving } from './proving';
import { InclusionList } from './steps';
import { TakeAlong } from './take-along';
import { auditorTexts } from './texts';
import { Verdict } from './verdict';
import { Says } from './words';

type Event = LogEventData['auditEvents']['nodes'][number];

/** Anchors whose checkpoints are looked at, the largest. */
const mostAnchors = 8;
/** Of one moment of the log, in bytes. */
const largestMoment = 16 * 1024 * 1024;

const Ids = ({ ids }: { readonly ids: readonly string[] }) => (
  <ul className="grounds mono">
    {ids.map((id) => (
      <li key={id}>{id}</li>
    ))}
  </ul>
);

/** What an event says. */
const EventFacts = ({ event, refusals }: { readonly event: Event; readonly refusals: Refusals }) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const hidden = refusals.of('AuditEvent.customers');
  return (
    <div className="sheet">
      <h2>{event.action}</h2>
      <p>
        <Says action={event.action} />
      </p>
      <Facts
        facts={[
          [t('time'), <Time key="at" at={event.at} zone="utc" seconds />],
          [t('outcome'), <Outcome key="outcome" outcome={event.outcome} />],
          [
            t('actor'),
            <div key="actor">
              <Actor actor={event.actor} />
              <Who ids={event.actor === null ? [] : [event.actor.id]} />
            </div>,
          ],
          [t('about'), event.subject === null ? null : <Subject key="subject" subject={event.subject} />],
          [
            t('tickets'),
            event.ticketIds.length === 0 ? null : (
              <ul key="tickets" className="grounds mono">
                {event.ticketIds.map((id) => (
                  <li key={id}>
                    <Link href={logPath({ ticket: id })}>{id}</Link>
                  </li>
                ))}
              </ul>
            ),
          ],
          [
            t('assistance'),
            event.assistanceId === null ? null : (
              <Link key="assistance" className="mono" href={logPath({ type: 'Assistance', subject: event.assistanceId })}>
                {event.assistanceId}
              </Link>
            ),
          ],
          [
            t('customers'),
            event.customers === null ? (
              hidden && <NotShown key="hidden" refusal={hidden} />
            ) : event.customers.length === 0 ? null : (
              <div key="customers">
                <Ids ids={event.customers.flatMap(({ id }) => (id === null ? [] : [id]))} />
                <p className="hint">{t('pseudonym')}</p>
              </div>
            ),
          ],
          ...(event.changes ?? []).map(({ name, before, after }): readonly [string, React.ReactNode] => [
            name,
            <Stated key={name} text={before === null ? after : `${before} → ${after ?? ''}`} />,
          ]),
          [
            t('fields'),
            event.action !== 'disclosure' ? null : (
              <ShownFields key="fields" fields={event.disclosedFields} refusal={refusals.of('AuditEvent.disclosedFields')} />
            ),
          ],
          ...(event.objects ?? []).map(({ type, ids }): readonly [string, React.ReactNode] => [
            type,
            <details key={type}>
              <summary>{t('objects', { count: ids.length })}</summary>
              <Ids ids={ids} />
            </details>,
          ]),
          [
            t('id'),
            <span key="id" className="mono">
              {event.id}
            </span>,
          ],
          [t('leaf'), event.leafIndex === null ? t('unplaced') : number(event.leafIndex)],
        ]}
      />
    </div>
  );
};

/** What is told between two sizes of the tree; null where it isn't. */
const between = async (one: number, other: number): Promise<readonly string[] | null> => {
  if (one === other) return [];
  const { data } = await askOnce(TreesContinue, { from: Math.min(one, other), to: Math.max(one, other) });
  return data?.auditConsistencyProof?.path ?? null;
};

const prove = async (event: Event, keys: string, witnesses: string): Promise<Proof<ProvenInclusion>> => {
  const { data, refusals } = await askOnce(EventProof, { id: event.id });
  const told = data?.auditInclusionProof ?? null;
  if (data === null || told === null) return { kind: 'refused', refusal: refusals.first ?? offline };
  // The leaf itself comes with an export of its moment: the graph leaves out what tells of links and payments.
  const after = new Date(Date.parse(event.at) + 1).toISOString();
  const read = await readOwn(`/audit/export?${new URLSearchParams({ from: event.at, to: after })}`, { most: largestMoment });
  if (read.refusal !== null) return { kind: 'refused', refusal: read.refusal };
  const anchors = told.checkpoint?.anchors.slice(0, mostAnchors) ?? [];
  const paths = await Promise.all(anchors.map(({ treeSize }) => between(treeSize, told.treeSize)));
  return computed(async ({ proveInclusion }) =>
    proveInclusion({
      told: event,
      exported: new Uint8Array(await read.bytes.arrayBuffer()),
      proof: { ...told, note: told.checkpoint?.note ?? null },
      anchors: anchors.map((anchor, at) => ({ ...anchor, path: paths[at] ?? null })),
      keys: { own: keys, offered: offeredKeys(data.offered), witnesses },
    }),
  );
};

/** The proof that an event is in the log, computed here. */
const InclusionProof = ({ event }: { readonly event: Event }) => {
  const t = useText(auditorTexts);
  const { keys, witnesses } = useBrought();
  return (
    <section aria-labelledby="proof">
      <h2 id="proof">{t('proof')}</h2>
      <p>{t('proofIntro')}</p>
      <Proving
        label={t('proof')}
        button={t('prove')}
        prove={() => prove(event, keys, witnesses)}
        fields={(problemOf) => (
          <>
            <BroughtText name="keys" problem={problemOf('keys')} />
            <details>
              <summary>{t('moreKeys')}</summary>
              <BroughtText name="witnesses" />
            </details>
            <p className="hint">{t('exportIsRecorded')}</p>
          </>
        )}
      >
        {({ verdict, failedAt, checkedTwice, steps }) => (
          <Verdict
            of="inclusion"
            verdict={verdict}
            failedAt={failedAt === null ? null : t(`step_${failedAt}`)}
            checkedTwice={checkedTwice}
          >
            <InclusionList steps={steps} />
            <div className="columns">
              <div className="sheet">
                <h3>{t('provesTitle')}</h3>
                <ul>
                  <li>{t('proves1')}</li>
                  <li>{t('proves2')}</li>
                </ul>
              </div>
              <div className="sheet">
                <h3>{t('provesNotTitle')}</h3>
                <ul>
                  <li>{t('provesNot1')}</li>
                  <li>{t('provesNot2')}</li>
                  <li>{t('provesNot3')}</li>
                </ul>
              </div>
            </div>
          </Verdict>
        )}
      </Proving>
      <TakeAlong />
    </section>
  );
};

export default ({ params: { id = '' } }: { readonly params: Readonly<Record<string, string>> }) => {
  const t = useText(auditorTexts);
  const answer = useGraph(LogEvent, { id });
  return (
    <LogScreen title={t('eventTitle')}>
      <Answered answer={answer}>
        {({ auditEvents: { nodes, rowFindings } }, refusals) => {
          const [event] = nodes;
          if (event === undefined) return <RefusalNotice refusal={notFound} />;
          return (
            <>
              {rowFindings > 0 ? <RowsChecked to={0} findings={rowFindings} /> : null}
              <EventFacts event={event} refusals={refusals} />
              <InclusionProof key={event.id} event={event} />
            </>
          );
        }}
      </Answered>
    </LogScreen>
  );
};
