import { type AssistancePurpose, BeginAssistance } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { useText } from '../../text/catalogue';
import { formTexts } from './form-texts';
import { ActForm, Field, ReasonField, useReasonText } from './forms';
import { useDraft, useShown } from './shown';

const purposes = [
  'PAYMENT_QUESTION',
  'DECLINE',
  'REFUND',
  'DISPUTE',
  'CREDENTIAL_UPDATE',
  'OTHER',
] as const satisfies readonly AssistancePurpose[];

/** The request for access: what for, and why. */
export default () => {
  const t = useText(formTexts);
  const { ticketId, announce, refresh, drafts } = useShown();
  const act = useAct(BeginAssistance);
  const reason = useReasonText('access');
  const [purpose, setPurpose] = useDraft('access-purpose', 'PAYMENT_QUESTION');
  const submit = async () => {
    const input = { ticketId, purpose: purpose as AssistancePurpose, reason: reason.text };
    const done = await act.run({ input });
    if (done === null) return;
    drafts.delete('access');
    announce(t(done.beginAssistance.state === 'LIVE' ? 'opened' : 'asked'));
    refresh();
  };
  return (
    <ActForm act={act} isValid={reason.problem === null} submit={submit} button={t('sendAsk')}>
      {(showsProblem) => (
        <>
          <Field label={t('purpose')}>
            {(given) => (
              <select {...given} value={purpose} onChange={({ target }) => setPurpose(target.value)}>
                {purposes.map((each) => (
                  <option key={each} value={each}>
                    {t(`purpose${each}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <ReasonField of={reason} showsProblem={showsProblem} />
        </>
      )}
    </ActForm>
  );
};
