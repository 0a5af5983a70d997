import { CancelUpdate, type CredentialUpdateState } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { Foreign } from '../../parts/text';
import { Ago } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { useMethodName } from './names';
import { ActButton } from './opens';
import { Listed, type Ticket, type Update, Value } from './shown';
import { agentTexts } from './texts';

/** States in which something is still to come. */
const underWay: readonly CredentialUpdateState[] = [
  'REQUESTED',
  'AWAITING_CUSTOMER',
  'AWAITING_PROVIDER',
  'AWAITING_APPROVAL',
  'APPLYING',
  'UNKNOWN',
];
/** Nothing was sent to the provider yet. */
const cancellable: readonly CredentialUpdateState[] = underWay.slice(0, 4);

const known = (failure: string): failure is 'REFUSED' => Object.hasOwn(agentTexts.en, `failure${failure}`);

const One = ({ update }: { readonly update: Update }) => {
  const t = useText(agentTexts);
  const { time } = useFormats();
  const nameOf = useMethodName();
  const cancel = useAct(CancelUpdate);
  const {
    kind,
    state,
    createdAt,
    expiresAt,
    failure,
    needsCode,
    needsApproval,
    requestedBy,
    paymentMethod,
    after,
    approval,
    reason,
  } = update;
  const isUnderWay = underWay.includes(state);
  const words = state === 'AWAITING_CUSTOMER' && needsCode ? t('stateAWAITING_CUSTOMER_CODE') : t(`state${state}`);
  return (
    <li>
      <p>
        <strong>
          {paymentMethod === null
            ? t(`update${kind}`)
            : t('updateOf', { kind: t(`update${kind}`), method: nameOf(paymentMethod) })}
        </strong>
      </p>
      <p>
        {words}
        {state === 'FAILED' ? (
          <>
            {': '}
            <Value field="CredentialUpdate.failure" of={failure}>
              {(why) => t(`failure${known(why) ? why : 'OTHER'}`)}
            </Value>
          </>
        ) : null}
        {needsApproval && isUnderWay && state !== 'AWAITING_APPROVAL' ? ` ${t('thenApproval')}` : null}
        {expiresAt === null ? null : ` ${t('waitsUntil', { time: time(expiresAt) })}`}
      </p>
      {after === null ? null : <p>{t('becomes', { method: nameOf({ kind: 'CARD', ...after }) })}</p>}
      {approval?.reason ? (
        <p>
          {t('theirWords')} <Foreign text={approval.reason} />
        </p>
      ) : null}
      <p className="quiet">
        <Ago at={createdAt} /> {requestedBy === null ? t('byRule') : <By name={requestedBy.displayName} />}
      </p>
      {reason ? (
        <p className="quiet">
          <Foreign text={reason} />
        </p>
      ) : null}
      {cancellable.includes(state) ? (
        <ActButton act={cancel} variables={{ id: update.id }} label={t('callOff')} done={t('calledOff')} />
      ) : null}
    </li>
  );
};

const By = ({ name }: { readonly name: string }) => {
  const t = useText(agentTexts);
  const [before, after] = t('by', { name: '\n' }).split('\n');
  return (
    <>
      {before}
      <Foreign text={name} />
      {after}
    </>
  );
};

/** Changes that were asked for on the ticket: those under way with what they wait for, and what became of the others. */
export const Updates = ({ of }: { readonly of: Ticket['credentialUpdates'] }) => {
  const t = useText(agentTexts);
  if (of?.length === 0) return null;
  const list = (updates: readonly Update[]) => (
    <ul className="items">
      {updates.map((update) => (
        <One key={update.id} update={update} />
      ))}
    </ul>
  );
  return (
    <section className="sheet" aria-labelledby="panel-updates">
      <h2 id="panel-updates">{t('updates')}</h2>
      <Listed field="Ticket.credentialUpdates" of={of} empty={t('noUpdates')}>
        {(updates) => {
          const now = updates.filter(({ state }) => underWay.includes(state));
          // The last that came to an end stays in view: somebody may wait for it.
          const [latest, ...earlier] = updates.filter(({ state }) => !underWay.includes(state));
          return (
            <>
              {list([...now, ...(latest ? [latest] : [])])}
              {earlier.length === 0 ? null : (
                <details>
                  <summary>{t('updatesEnded', { count: earlier.length })}</summary>
                  {list(earlier)}
                </details>
              )}
            </>
          );
        }}
      </Listed>
    </section>
  );
};
