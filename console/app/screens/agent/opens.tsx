import { type ReactNode, useRef, useState } from 'react';
import type { Act } from '../../graph/use';
import { Later, RefusalNotice } from '../../parts/notices';
import { useShown } from './shown';

/** What is loaded, and shown, once somebody wants it. */
export const Opens = ({
  summary,
  name,
  isOpenFirst = false,
  className = 'do',
  children,
}: {
  readonly summary: ReactNode;
  /** What it is called without what stands around it. */
  readonly name?: string;
  readonly isOpenFirst?: boolean;
  readonly className?: string;
  /** Given what closes it. */
  readonly children: (close: () => void) => ReactNode;
}) => {
  const [isOpen, setOpen] = useState(isOpenFirst);
  const heading = useRef<HTMLElement>(null);
  const close = () => {
    setOpen(false);
    // What had the focus goes.
    heading.current?.focus();
  };
  return (
    <details className={className} open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary ref={heading} aria-label={name}>
        {summary}
      </summary>
      {isOpen ? <Later>{children(close)}</Later> : null}
    </details>
  );
};

/** A button that does one thing at once, and says what became of it. */
export const ActButton = <Data, Variables extends object>({
  act,
  variables,
  label,
  done,
  className = 'small',
}: {
  readonly act: Act<Data, Variables>;
  readonly variables: Variables;
  readonly label: string;
  readonly done: string;
  readonly className?: string;
}) => {
  const { announce, refresh } = useShown();
  const press = async () => {
    if ((await act.run(variables)) === null) return;
    announce(done);
    refresh();
  };
  return (
    <>
      <button type="button" className={className} aria-disabled={act.isBusy} onClick={() => void press()}>
        {label}
      </button>
      {act.refusal === null ? null : <RefusalNotice refusal={act.refusal} live />}
    </>
  );
};
