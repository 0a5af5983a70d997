import { type CredentialUpdateKind, RequestUpdate } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { useText } from '../../text/catalogue';
import { formTexts } from './form-texts';
import { ActForm, ReasonField, useAttempt, useReasonText } from './forms';
import { type Method, useShown } from './shown';

/** Asks the customer to confirm one kind of change. */
export default ({
  method: { id },
  kind,
  done,
}: {
  readonly method: Method;
  readonly kind: CredentialUpdateKind;
  readonly done: () => void;
}) => {
  const t = useText(formTexts);
  const { ticketId, announce, refresh, drafts } = useShown();
  const act = useAct(RequestUpdate);
  const draft = `update ${id} ${kind}`;
  const attempt = useAttempt(draft);
  const reason = useReasonText(draft);
  const submit = async () => {
    const asked = { ticketId, paymentMethodId: id, kind, reason: reason.text };
    if ((await act.run({ input: { ...asked, idempotencyKey: attempt.of(asked).key } })) === null) return;
    attempt.done();
    drafts.delete(draft);
    announce(t('started'));
    done();
    refresh();
  };
  return (
    <ActForm act={act} isValid={reason.problem === null} submit={submit} button={t('start')}>
      {(showsProblem) => (
        <>
          <p>{t('customerConfirms')}</p>
          <ReasonField of={reason} hint={t('reasonForCustomer')} showsProblem={showsProblem} />
        </>
      )}
    </ActForm>
  );
};
