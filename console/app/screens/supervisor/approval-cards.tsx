import type { ReactNode } from 'react';
import {
  type ApprovalQueueData,
  ApproveAccess,
  ApproveHold,
  ApproveUpdate,
  HoldAsDecided,
  RejectAccess,
  RejectUpdate,
  ReleaseHold,
  UpdateAsDecided,
} from '../../graph/operations';
import type { Refusal, Refusals } from '../../graph/refusals';
import { useAct, useGraph } from '../../graph/use';
import { type Fact, Facts } from '../../parts/facts';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { Person, useTicketFacts, When } from './about';
import { approvalTexts, updateStateTexts } from './approvals-texts';
import { Changes } from './changes';
import { Decision } from './decision';
import { doing } from './doing';
import { Effects } from './effects';
import { headingOf } from './news';
import { words } from './words';

type Access = ApprovalQueueData['access'][number];
type Update = ApprovalQueueData['updates']['nodes'][number];
type Held = ApprovalQueueData['holds']['nodes'][number];

const Card = ({
  id,
  kind,
  title,
  facts,
  children,
}: {
  readonly id: string;
  readonly kind: 'access' | 'update' | 'hold';
  readonly title: string;
  readonly facts: readonly (Fact | null)[];
  readonly children: ReactNode;
}) => {
  const t = useText(approvalTexts);
  return (
    <article className="sheet decided" aria-labelledby={headingOf(id)} data-kind={kind}>
      <h2 id={headingOf(id)} tabIndex={-1}>
        <span className="tag">{t(kind)}</span> {title}
      </h2>
      <Facts facts={facts} />
      {children}
    </article>
  );
};

/** Why something of the list isn't the reader's to decide about, by why they aren't shown what they would decide on. */
const useBarred = (): ((refusal: Refusal | null) => string | null) => {
  const t = useText(approvalTexts);
  return (refusal) =>
    refusal?.reason === 'NO_ASSISTANCE' || refusal?.reason === 'SELF_MADE' || refusal?.reason === 'SCOPE' ? t('notYours') : null;
};

const Words = ({ text }: { readonly text: string | null }) => {
  const t = useText(approvalTexts);
  return text === null ? <span className="quiet">{t('noReason')}</span> : <Foreign text={text} />;
};

interface CardProps<Row> {
  readonly row: Row;
  readonly refusals: Refusals;
  readonly isGone: boolean;
  /** To be told at once that something was decided, here or elsewhere. */
  readonly look: () => void;
}

/** A request for access, with what a decision about it rests on. */
export const AccessCard = ({ row, refusals, isGone, look }: CardProps<Access>) => {
  const t = useText(approvalTexts);
  const word = useText(words);
  const { time } = useFormats();
  const ticketFacts = useTicketFacts();
  const barred = useBarred();
  const approve = useAct(ApproveAccess);
  const reject = useAct(RejectAccess);
  const asker = row.requestedBy?.id;
  const reference = row.ticket?.reference ?? '?';
  return (
    <Card
      id={row.id}
      kind="access"
      title={t('accessTo', { reference })}
      facts={[
        { term: t('askedBy'), is: <Person person={row.requestedBy} /> },
        { term: t('since'), is: <When at={row.requestedAt} /> },
        { term: t('purpose'), is: word(`purpose${row.purpose}`) },
        { term: t('reason'), is: <Words text={row.reason} />, refusal: refusals.of('Assistance.reason') },
        ...ticketFacts(row.ticket, refusals, { asker }),
        {
          term: t('link'),
          is: row.link === null ? null : word(`link${row.link}`),
          refusal: refusals.of('Assistance.link'),
        },
        {
          term: t('earlier'),
          is:
            row.earlier === null ? (
              t('noneOrHidden')
            ) : row.earlier.length === 0 ? (
              t('earlierNone')
            ) : (
              <ul className="plain">
                {row.earlier.map((each) => (
                  <li key={each.id}>
                    <Person person={each.requestedBy} asker={asker} />: {word(`purpose${each.purpose}`)} –{' '}
                    {word(`assistance${each.state}`)}, <When at={each.requestedAt} />
                    {each.reason === null ? null : (
                      <q className="words">
                        <Foreign text={each.reason} />
                      </q>
                    )}
                    {each.rejectionReason === null ? null : (
                      <p>
                        {t('earlierRejected')} <Foreign text={each.rejectionReason} />
                      </p>
                    )}
                  </li>
                ))}
              </ul>
            ),
          refusal: refusals.of('Assistance.earlier'),
        },
        { term: t('lapses'), is: <When at={row.expiresAt} /> },
      ]}
    >
      <Decision
        about={headingOf(row.id)}
        hint={t('askerReads')}
        gone={isGone ? t('gone') : null}
        barred={barred(refusals.of('Assistance.link'))}
        approve={{
          ...approve,
          run: () =>
            doing(approve, { id: row.id }, look, ({ approveAssistance: { state, expiresAt } }) =>
              state === 'LIVE'
                ? t('approvedAccess', { time: time(expiresAt) })
                : t('approvedAccessNot', { state: word(`assistance${state}`) }),
            ),
        }}
        reject={{
          ...reject,
          run: (reason) => doing(reject, { id: row.id, reason }, look, () => t('rejectedAccess')),
        }}
      />
    </Card>
  );
};

/** What became of an update that somebody else decided about. */
const UpdateDecided = ({ id }: { readonly id: string }) => {
  const t = useText(approvalTexts);
  const states = useText(updateStateTexts);
  const { time } = useFormats();
  const answer = useGraph(UpdateAsDecided, { id });
  const update = answer.state === 'ready' ? answer.data.credentialUpdate : null;
  return (
    <>
      <p>{t('gone')}</p>
      {update === null ? null : (
        <>
          {update.approval === null ? (
            <p>{t('nowState', { state: states(update.state) })}</p>
          ) : (
            <p>
              {t(`decided${update.approval.decision}`, {
                who: update.approval.by?.displayName ?? t('somebody'),
                when: time(update.approval.at),
              })}
            </p>
          )}
          {update.approval?.reason ? (
            <p>
              {t('decidedBecause')} <Foreign text={update.approval.reason} />
            </p>
          ) : null}
        </>
      )}
    </>
  );
};

const riskWords = {
  'matched-link': 'riskMatchedLink',
  'contact-changed': 'riskContactChanged',
  'contact-age-unknown': 'riskContactAge',
  'contact-is-staff': 'riskContactStaff',
  'change-against-history': 'riskHistory',
  'active-hold': 'riskHold',
} as const;

/** A change of payment details, with what a decision about it rests on. */
export const UpdateCard = ({ row, refusals, isGone, look }: CardProps<Update>) => {
  const t = useText(approvalTexts);
  const word = useText(words);
  const ticketFacts = useTicketFacts();
  const barred = useBarred();
  const approve = useAct(ApproveUpdate);
  const reject = useAct(RejectUpdate);
  const { confirmation, riskRules } = row;
  const kind = word(`kind${row.kind}`);
  const isByRule = row.ticket === null && row.requestedBy === null;
  return (
    <Card
      id={row.id}
      kind="update"
      title={isByRule ? t('updateByRule', { kind }) : t('updateOf', { kind, reference: row.ticket?.reference ?? '?' })}
      facts={[
        { term: t('askedBy'), is: isByRule ? word('causeRULE') : <Person person={row.requestedBy} /> },
        { term: t('since'), is: <When at={confirmation?.at ?? row.createdAt} /> },
        { term: t('reason'), is: <Words text={row.reason} />, refusal: refusals.of('CredentialUpdate.reason') },
        {
          term: t('risks'),
          is:
            riskRules === null ? (
              t('noneOrHidden')
            ) : riskRules.length === 0 ? (
              t('risksNone')
            ) : (
              <ul className="plain">
                {riskRules.map((name) => (
                  <li key={name}>
                    {name in riskWords ? word(riskWords[name as keyof typeof riskWords]) : word('riskOther', { name })}
                  </li>
                ))}
              </ul>
            ),
          refusal: refusals.of('CredentialUpdate.riskRules'),
        },
        {
          term: t('confirmation'),
          is:
            confirmation === null ? (
              t('confirmedNot')
            ) : (
              <>
                {t(confirmation.outcome, {
                  channel: confirmation.channel === 'SMS' ? t('channelSMS') : t('channelMAIL'),
                })}
                , <When at={confirmation.at} />
              </>
            ),
          refusal: refusals.of('CredentialUpdate.confirmation'),
        },
        confirmation === null
          ? null
          : {
              term: t('proofs'),
              is: (confirmation.proofs ?? []).map((name) => t(`proof${name}` as 'prooflink')).join(', '),
              refusal: refusals.of('Confirmation.proofs'),
            },
        ...ticketFacts(row.ticket, refusals, { asker: row.requestedBy?.id, isOnNone: isByRule }),
        row.expiresAt === null ? null : { term: t('lapses'), is: <When at={row.expiresAt} /> },
      ]}
    >
      <Changes update={row} refusals={refusals} />
      <Decision
        about={headingOf(row.id)}
        hint={t('askerReads')}
        gone={isGone ? <UpdateDecided id={row.id} /> : null}
        barred={barred(refusals.of('CredentialUpdate.before'))}
        approve={{
          ...approve,
          run: () => doing(approve, { id: row.id }, look, () => t('approvedUpdate')),
        }}
        reject={{
          ...reject,
          run: (reason) => doing(reject, { id: row.id, reason }, look, () => t('rejectedUpdate')),
        }}
      />
    </Card>
  );
};

/** What became of a proposal that somebody else decided about. */
const HoldDecided = ({ id, ticketId }: { readonly id: string; readonly ticketId: string | null }) => {
  const t = useText(approvalTexts);
  const word = useText(words);
  const { time } = useFormats();
  const answer = useGraph(HoldAsDecided, { ticketId });
  const hold = answer.state === 'ready' ? answer.data.holds.nodes.find((each) => each.id === id) : undefined;
  const by = hold?.history?.find(({ from }) => from === 'PROPOSED');
  return (
    <>
      <p>{t('gone')}</p>
      {hold === undefined ? null : <p>{t('nowState', { state: word(`hold${hold.state}`) })}</p>}
      {by?.by ? <p>{t('decidedBy', { who: by.by.displayName, when: time(by.at) })}</p> : null}
    </>
  );
};

/** A proposal to make something wait, with what a decision about it rests on. */
export const HoldCard = ({ row, refusals, isGone, look }: CardProps<Held>) => {
  const t = useText(approvalTexts);
  const word = useText(words);
  const { money } = useFormats();
  const ticketFacts = useTicketFacts();
  const barred = useBarred();
  const approve = useAct(ApproveHold);
  const reject = useAct(ReleaseHold);
  const isByStaff = row.owner !== null;
  return (
    <Card
      id={row.id}
      kind="hold"
      title={row.ticket === null ? t('holdOnNone') : t('holdOn', { reference: row.ticket.reference })}
      facts={[
        {
          term: t('cause'),
          is: row.cause === null ? null : word(`cause${row.cause}`),
          refusal: refusals.of('Hold.cause'),
        },
        isByStaff ? { term: t('askedBy'), is: <Person person={row.owner} /> } : null,
        { term: t('since'), is: <When at={row.placedAt} /> },
        { term: t('reason'), is: <Words text={row.reason} />, refusal: refusals.of('Hold.reason') },
        {
          term: t('covers'),
          is:
            row.subject === null
              ? null
              : row.subject.customers === null
                ? word(`subject${row.subject.kind}`)
                : word('subjectMany'),
        },
        {
          term: t('money'),
          is: row.moneyAtRisk === null ? t('moneyUnknown') : money(row.moneyAtRisk),
          refusal: refusals.of('Hold.moneyAtRisk'),
        },
        { term: t('effects'), is: <Effects effects={row.effects} refusals={refusals} isProposed /> },
        ...ticketFacts(row.ticket, refusals, { asker: row.owner?.id, isOnNone: !isByStaff }),
        { term: t('ends'), is: <When at={row.expiresAt} /> },
      ]}
    >
      <Decision
        about={headingOf(row.id)}
        hint={t('staffReads')}
        gone={isGone ? <HoldDecided id={row.id} ticketId={row.ticket?.id ?? null} /> : null}
        barred={barred(refusals.of('Hold.cause'))}
        approve={{
          ...approve,
          run: () => doing(approve, { id: row.id }, look, () => t('approvedHold')),
        }}
        reject={{
          ...reject,
          run: (reason) => doing(reject, { id: row.id, reason }, look, () => t('rejectedHold')),
        }}
      />
    </Card>
  );
};

/** Something that waits and isn't the reader's to decide, with why. */
export const NotTheirs = ({
  id,
  kind,
  title,
  at,
  expiresAt,
  isOwn,
  isGone,
}: {
  readonly id: string;
  readonly kind: 'access' | 'update' | 'hold';
  readonly title: string;
  readonly at: string;
  readonly expiresAt: string | null;
  readonly isOwn: boolean;
  readonly isGone: boolean;
}) => {
  const t = useText(approvalTexts);
  return (
    <Card
      id={id}
      kind={kind}
      title={title}
      facts={[
        { term: t('since'), is: <When at={at} /> },
        expiresAt === null ? null : { term: t('lapses'), is: <When at={expiresAt} /> },
      ]}
    >
      <p className="notice quiet">
        {isGone ? (
          t('gone')
        ) : (
          <>
            {isOwn ? <span className="tag">{t('own')}</span> : null} {t(isOwn ? 'ownWhy' : 'notYours')}
          </>
        )}
      </p>
    </Card>
  );
};
