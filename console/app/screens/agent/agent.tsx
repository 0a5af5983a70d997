import { Page } from '../../parts/page';
import { useText } from '../../text/catalogue';
import { Panel } from './panel';
import { agentTexts } from './texts';

/** The panel of one ticket as a page of its own. */
export default ({ params: { source = '', reference = '' } }: { readonly params: Readonly<Record<string, string>> }) => {
  const t = useText(agentTexts);
  return (
    <Page title={t('title')}>
      <Panel key={`${source} ${reference}`} source={source} reference={reference} />
    </Page>
  );
};
