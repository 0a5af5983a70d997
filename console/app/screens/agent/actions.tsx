import { lazy } from 'react';
import { useText } from '../../text/catalogue';
import { Opens } from './opens';
import type { Payment } from './shown';
import { agentTexts } from './texts';

const ActionForm = lazy(() => import('./action-forms'));

/** What can be done beside a change of payment details. */
export const Actions = ({ payments }: { readonly payments: readonly Payment[] }) => {
  const t = useText(agentTexts);
  return (
    <section className="sheet" aria-labelledby="panel-actions">
      <h2 id="panel-actions">{t('do')}</h2>
      {(['claim', 'place', 'concern'] as const).map((what) => (
        <Opens key={what} summary={t(what)}>
          {(close) => <ActionForm what={what} payments={payments} done={close} />}
        </Opens>
      ))}
    </section>
  );
};
