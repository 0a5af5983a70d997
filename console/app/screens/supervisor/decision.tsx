import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Refusal } from '../../graph/refusals';
import { RefusalNotice } from '../../parts/notices';
import { ReasonForm } from '../../parts/reason';
import { useText } from '../../text/catalogue';
import { approvalTexts } from './approvals-texts';

interface Doing {
  readonly isBusy: boolean;
  readonly refusal: Refusal | null;
}

/**
 * Says yes, or no and why. What became of it stands in the same place, and the keyboard with it; nothing else on the page moves. A refusal leaves
 * everything as it was typed.
 */
export const Decision = ({
  about,
  approve,
  reject,
  hint,
  gone,
  barred,
}: {
  /** The id of the heading of what is decided about. */
  readonly about: string;
  readonly approve: Doing & { readonly run: () => Promise<string | null> };
  readonly reject: Doing & { readonly run: (reason: string) => Promise<string | null> };
  readonly hint: string;
  /** Said in the place of the buttons where there is nothing left to decide; null while there is. */
  readonly gone: ReactNode;
  /** Why it isn't the reader's to decide, in the place of the buttons; null where it is, or may be once they have signed in anew. */
  readonly barred: string | null;
}) => {
  const t = useText(approvalTexts);
  const [isRejecting, setRejecting] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const outcome = useRef<HTMLParagraphElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const wasRejecting = useRef(false);
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (done !== null) outcome.current?.focus();
  }, [done]);
  useEffect(() => {
    if (isRejecting) form.current?.querySelector('textarea')?.focus();
    else if (wasRejecting.current && done === null) opener.current?.focus();
    wasRejecting.current = isRejecting;
  }, [isRejecting, done]);
  const isOpen = isRejecting && done === null;
  return (
    <div className="decision">
      <p ref={outcome} role="status" tabIndex={-1} className={done === null ? undefined : 'notice good'}>
        {done}
      </p>
      {done === null && gone !== null ? <div className="notice warn">{gone}</div> : null}
      {done !== null || isOpen || approve.refusal === null ? null : <RefusalNotice refusal={approve.refusal} live />}
      {isOpen ? (
        <div ref={form}>
          <ReasonForm
            label={t('rejectWhy')}
            hint={hint}
            submit={t('rejectNow')}
            isBusy={reject.isBusy}
            refusal={reject.refusal}
            onSubmit={(reason) => void reject.run(reason).then(setDone)}
            onCancel={() => setRejecting(false)}
          />
        </div>
      ) : done !== null || gone !== null ? null : barred !== null ? (
        <p className="notice quiet">{barred}</p>
      ) : (
        <div className="actions">
          <button
            type="button"
            aria-disabled={approve.isBusy}
            aria-describedby={about}
            onClick={() => void approve.run().then(setDone)}
          >
            {t('approve')}
          </button>
          <button ref={opener} type="button" className="wrong" aria-describedby={about} onClick={() => setRejecting(true)}>
            {t('reject')}
          </button>
        </div>
      )}
    </div>
  );
};
