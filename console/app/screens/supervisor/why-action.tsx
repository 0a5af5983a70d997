import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Refusal } from '../../graph/refusals';
import { Outcome } from '../../parts/outcome';
import { ReasonForm } from '../../parts/reason';

/**
 * A button that asks why before anything is done. What became of it stands in the same place, and the keyboard with it; a refusal takes nothing away
 * that was typed.
 */
export const WhyAction = ({
  about,
  open,
  label,
  hint,
  submit,
  isBusy,
  refusal,
  run,
  children,
}: {
  /** The id of the heading of what it is done to. */
  readonly about: string;
  readonly open: string;
  readonly label: string;
  readonly hint?: string;
  readonly submit: string;
  readonly isBusy: boolean;
  readonly refusal: Refusal | null;
  /** Resolves with what became of it in words, or null where it was refused. */
  readonly run: (reason: string) => Promise<string | null>;
  readonly children?: ReactNode;
}) => {
  const [isOpen, setOpen] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const form = useRef<HTMLDivElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (isOpen) form.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    else if (wasOpen.current) opener.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  if (done !== null) return <Outcome>{done}</Outcome>;
  if (!isOpen)
    return (
      <button ref={opener} type="button" className="other" aria-describedby={about} onClick={() => setOpen(true)}>
        {open}
      </button>
    );
  return (
    <div ref={form} className="opened">
      <ReasonForm
        label={label}
        {...(hint === undefined ? {} : { hint })}
        submit={submit}
        isBusy={isBusy}
        refusal={refusal}
        onSubmit={(reason) => void run(reason).then(setDone)}
        onCancel={() => setOpen(false)}
      >
        {children}
      </ReasonForm>
    </div>
  );
};
