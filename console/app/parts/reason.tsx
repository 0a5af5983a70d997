import { type FormEvent, useId, useRef, useState } from 'react';
import type { Refusal } from '../graph/refusals';
import { catalogue, useText } from '../text/catalogue';
import { commonTexts } from '../text/common';
import { RefusalNotice } from './notices';

const texts = catalogue(
  {
    hint: '10 to 1,000 characters. No card data.',
    problem: 'Write 10 to 1,000 characters.',
  },
  {
    hint: '10 bis 1.000 Zeichen. Keine Kartendaten.',
    problem: 'Schreiben Sie 10 bis 1.000 Zeichen.',
  },
);

/** One line, as the graph takes reasons. */
const asLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/**
 * Asks why, and does it. What was typed stays until it is done: a refusal is told above the buttons, and takes nothing away.
 */
export const ReasonForm = ({
  label,
  hint,
  submit,
  isBusy,
  refusal,
  onSubmit,
  onCancel,
  children,
}: {
  readonly label: string;
  /** Who reads it. */
  readonly hint?: string;
  readonly submit: string;
  readonly isBusy: boolean;
  readonly refusal: Refusal | null;
  readonly onSubmit: (reason: string) => void;
  readonly onCancel: () => void;
  /** Other fields, before it. */
  readonly children?: React.ReactNode;
}) => {
  const t = useText(texts);
  const common = useText(commonTexts);
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [isWrong, setWrong] = useState(false);
  const send = (event: FormEvent) => {
    event.preventDefault();
    const reason = asLine(text);
    const isFine = reason.length >= 10 && reason.length <= 1_000;
    setWrong(!isFine);
    if (isFine) onSubmit(reason);
    else field.current?.focus();
  };
  return (
    <form className="reason" noValidate onSubmit={send}>
      {children}
      <div className="field">
        <label htmlFor={`${id}-text`}>{label}</label>
        <p className="hint" id={`${id}-hint`}>
          {hint === undefined ? null : `${hint} `}
          {t('hint')}
        </p>
        <p className="problem" id={`${id}-problem`} role="alert">
          {isWrong ? t('problem') : null}
        </p>
        <textarea
          id={`${id}-text`}
          ref={field}
          rows={3}
          value={text}
          autoComplete="off"
          aria-describedby={`${id}-hint ${id}-problem`}
          aria-invalid={isWrong}
          onChange={({ target }) => setText(target.value)}
        />
      </div>
      {refusal === null ? null : <RefusalNotice refusal={refusal} live />}
      <div className="actions">
        <button type="submit" aria-disabled={isBusy}>
          {submit}
        </button>
        <button type="button" className="other" onClick={onCancel}>
          {common('cancel')}
        </button>
      </div>
    </form>
  );
};
