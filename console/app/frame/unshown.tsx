import { useText } from '../text/catalogue';
import { ConsoleLink } from './console-link';
import { bringContext, type Taken } from './context';
import type { framePlace } from './place';
import { frameTexts } from './texts';
import { unshownTexts } from './unshown-texts';

/** Where the page around the frame can't say which ticket it is about, its reader does. */
const AskTicket = ({ chosen }: { readonly chosen: (reference: string) => void }) => {
  const t = useText(unshownTexts);
  return (
    <main id="content">
      <h1>{t('which')}</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const reference = String(new FormData(event.currentTarget).get('reference') ?? '').trim();
          if (reference !== '') chosen(reference);
        }}
      >
        <label>
          {t('number')} <input name="reference" autoComplete="off" maxLength={128} required />
        </label>{' '}
        <button type="submit">{t('show')}</button>
      </form>
    </main>
  );
};

/** What stands there where no ticket does: what the helpdesk signed wasn't taken, or nobody says which ticket it is about. */
export default ({
  source,
  reference,
  chosen,
  taken,
  brought,
}: NonNullable<typeof framePlace> & {
  readonly chosen: (reference: string) => void;
  readonly taken: Taken;
  readonly brought: (taken: Taken) => void;
}) => {
  const t = useText(frameTexts);
  const u = useText(unshownTexts);
  if (reference === null) return <AskTicket chosen={chosen} />;
  return (
    <main id="content" data-step={taken === 'unreached' ? 'unreached' : 'untaken'}>
      <h1>{t('ticket', { reference })}</h1>
      <p role="alert">{u(taken === 'unreached' ? 'unreached' : 'refused')}</p>
      {taken === 'unreached' ? (
        <p>
          <button type="button" onClick={() => void bringContext(source).then(brought)}>
            {u('again')}
          </button>
        </p>
      ) : null}
      <p>
        <ConsoleLink place={{ source, reference }} />
      </p>
    </main>
  );
};
