import { useId } from 'react';
import { useText } from '../../text/catalogue';
import { type Brought, bring, useBrought } from './brought';
import { auditorTexts } from './texts';

/** Larger than any list of keys or any checkpoint, in bytes. */
const largestText = 65_536;

/** A text that somebody brings along: pasted, or from a file of theirs. It goes nowhere. */
export const BroughtText = ({ name, problem = null }: { readonly name: keyof Brought; readonly problem?: string | null }) => {
  const t = useText(auditorTexts);
  const id = useId();
  const value = useBrought()[name];
  const take = async (file: File | undefined) => {
    if (file !== undefined) bring({ [name]: await file.slice(0, largestText).text() });
  };
  return (
    <div className="field">
      <label htmlFor={id}>{t(`brought_${name}`)}</label>
      <p className="hint" id={`${id}-hint`}>
        {t(`brought_${name}_hint`)}
      </p>
      {problem === null ? null : (
        <p className="problem" id={`${id}-problem`} lang="en">
          {problem}
        </p>
      )}
      <textarea
        id={id}
        className="mono"
        rows={name === 'kept' ? 6 : 2}
        value={value}
        onChange={({ target }) => bring({ [name]: target.value })}
        autoComplete="off"
        spellCheck={false}
        maxLength={largestText}
        aria-invalid={problem !== null || undefined}
        aria-describedby={problem === null ? `${id}-hint` : `${id}-problem ${id}-hint`}
      />
      <label className="file">
        <span>{t('fromFile')}</span>
        <input
          type="file"
          aria-label={`${t('fromFile')}: ${t(`brought_${name}`)}`}
          onChange={({ target }) => void take(target.files?.[0])}
        />
      </label>
    </div>
  );
};
