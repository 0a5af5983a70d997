import { ReleaseTicketHold } from '../../graph/operations';
import { useAct } from '../../graph/use';
import { useText } from '../../text/catalogue';
import { formTexts } from './form-texts';
import { ActForm, ReasonField, useReasonText } from './forms';
import { useShown } from './shown';

/** Lets go of what somebody of the staff had put on hold. */
export default ({ id }: { readonly id: string }) => {
  const t = useText(formTexts);
  const { announce, refresh, drafts } = useShown();
  const act = useAct(ReleaseTicketHold);
  const reason = useReasonText(`release ${id}`);
  const submit = async () => {
    if ((await act.run({ id, reason: reason.text })) === null) return;
    drafts.delete(`release ${id}`);
    announce(t('lettingGo'));
    refresh();
  };
  return (
    <ActForm act={act} isValid={reason.problem === null} submit={submit} button={t('letGo')}>
      {(showsProblem) => <ReasonField of={reason} showsProblem={showsProblem} />}
    </ActForm>
  );
};
