import { type ReactNode, Suspense, useRef, useState } from 'react';
import type { Act } from '../../graph/use';
import { Boundary } from '../../parts/boundary';
import { Loading, RefusalNotice } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
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
  const t = useText(commonTexts);
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
      {isOpen ? (
        <Boundary instead={<p role="alert">{t('fault')}</p>}>
          <Suspense fallback={<Loading />}>{children(close)}</Suspense>
        </Boundary>
      ) : null}
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
