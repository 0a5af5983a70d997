import { type FormEvent, type ReactNode, useState } from 'react';
import { offline, type Refusal } from '../../graph/refusals';
import { RefusalNotice } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { auditorTexts } from './texts';
import { loadVerifier } from './verifier';

/** A text that somebody brought along and that may be none of what it should be. */
export type Given = 'keys' | 'kept';

/** What came of a proof: what was computed, why the gateway gave nothing to compute with, or what of what was brought along can't be read. */
export type Proof<Proven> =
  | { readonly kind: 'proven'; readonly proven: Proven }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unusable'; readonly about: Given; readonly says: string };

type Verifier = Awaited<ReturnType<typeof loadVerifier>>;

/** Has the verifier compute. `reads`: told before something that was brought along is read, as what it throws then is about that. */
export const computed = async <Proven,>(
  work: (verifier: Verifier, reads: (about: Given) => void) => Promise<Proven>,
): Promise<Proof<Proven>> => {
  const verifier = await loadVerifier().catch(() => null);
  if (verifier === null) return { kind: 'refused', refusal: offline };
  let about: Given = 'keys';
  try {
    const proven = await work(verifier, (what) => {
      about = what;
    });
    return { kind: 'proven', proven };
  } catch (error) {
    return { kind: 'unusable', about, says: error instanceof Error ? error.message : '' };
  }
};

/** Asks for a proof, and shows what came of it. */
export const Proving = <Proven,>({
  label,
  button,
  prove,
  fields,
  children,
}: {
  readonly label: string;
  readonly button: string;
  readonly prove: () => Promise<Proof<Proven>>;
  /** Given what is wrong with a text that was brought along. */
  readonly fields: (problemOf: (name: Given) => string | null) => ReactNode;
  /** Made anew by each run: what was proven takes the keyboard as it comes. */
  readonly children: (proven: Proven) => ReactNode;
}) => {
  const t = useText(auditorTexts);
  const [isBusy, setBusy] = useState(false);
  const [proof, setProof] = useState<Proof<Proven> | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setProof(null);
    setProof(await prove());
    setBusy(false);
  };
  return (
    <>
      <form className="sheet" onSubmit={(event) => void submit(event)} aria-label={label}>
        {fields((name) => (proof?.kind === 'unusable' && proof.about === name ? proof.says : null))}
        <p className="actions">
          <button type="submit" aria-disabled={isBusy}>
            {isBusy ? t('proving') : button}
          </button>
        </p>
      </form>
      {proof?.kind === 'refused' ? <RefusalNotice refusal={proof.refusal} live /> : null}
      {proof?.kind === 'unusable' ? (
        <p className="notice refusal" role="alert">
          {t(proof.about === 'kept' ? 'keptUnusable' : 'keyUnusable')}
        </p>
      ) : null}
      {proof?.kind === 'proven' ? children(proof.proven) : null}
    </>
  );
};
