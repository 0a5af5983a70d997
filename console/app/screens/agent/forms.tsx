import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react';
import type { Act } from '../../graph/use';
import { RefusalNotice } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { formTexts } from './form-texts';
import { type Attempt, useDraft, useShown } from './shown';

export const Field = ({
  label,
  hint,
  problem,
  children,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problem?: string | null | undefined;
  readonly children: (given: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': true | undefined;
  }) => ReactNode;
}) => {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', problem ? `${id}-problem` : ''].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {hint ? (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {problem ? (
        <p className="problem" id={`${id}-problem`}>
          {problem}
        </p>
      ) : null}
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': problem ? true : undefined })}
    </div>
  );
};

/** What is typed as a reason, and what is wrong with it. */
export const useReasonText = (name: string) => {
  const t = useText(formTexts);
  const [text, setText] = useDraft(name);
  // One line, as the graph takes reasons.
  const line = text.replace(/\s+/g, ' ').trim();
  return {
    text: line,
    typed: text,
    setText,
    problem: line.length < 10 ? t('reasonShort') : line.length > 1_000 ? t('reasonLong') : null,
  };
};

export const ReasonField = ({
  of,
  label,
  hint,
  showsProblem,
}: {
  readonly of: ReturnType<typeof useReasonText>;
  readonly label?: string;
  readonly hint?: string;
  readonly showsProblem: boolean;
}) => {
  const t = useText(formTexts);
  return (
    <Field label={label ?? t('reason')} hint={hint ?? t('reasonHint')} problem={showsProblem ? of.problem : null}>
      {(given) => (
        <textarea {...given} rows={3} value={of.typed} autoComplete="off" onChange={({ target }) => of.setText(target.value)} />
      )}
    </Field>
  );
};

const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * An attempt at something, by what it is for: asked for again, also after something else was tried or the form was closed, it has its key again.
 */
export const useAttempt = (name: string) => {
  const { attempts } = useShown();
  return {
    of: (asked: unknown): Attempt => {
      const content = JSON.stringify(asked);
      const tried = attempts.get(name) ?? new Map<string, Attempt>();
      const attempt = tried.get(content) ?? { key: newKey(), at: Date.now() };
      attempts.set(name, tried.set(content, attempt));
      return attempt;
    },
    done: () => void attempts.delete(name),
  };
};

/** A form that does one thing. What is typed stays until it is done. */
export const ActForm = ({
  act,
  isValid,
  submit,
  button,
  children,
}: {
  readonly act: Pick<Act<unknown, never>, 'isBusy' | 'refusal'>;
  readonly isValid: boolean;
  readonly submit: () => Promise<void>;
  readonly button: string;
  /** With whether what is wrong is to be said by now. */
  readonly children: (showsProblems: boolean) => ReactNode;
}) => {
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setTried(!isValid);
    if (isValid) void submit();
    // What is wrong is marked once React has drawn it.
    else requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
  };
  return (
    <form ref={form} noValidate onSubmit={onSubmit}>
      {children(tried)}
      {act.refusal === null ? null : <RefusalNotice refusal={act.refusal} live />}
      <div className="actions">
        <button type="submit" aria-disabled={act.isBusy}>
          {button}
        </button>
      </div>
    </form>
  );
};
