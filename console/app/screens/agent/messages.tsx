import { lazy } from 'react';
import { useText } from '../../text/catalogue';
import { Opens } from './opens';
import { agentTexts } from './texts';

const MessageList = lazy(() => import('./message-list'));

/** What was said on the ticket. It is asked for once somebody wants to read it: what isn't looked at isn't shown. */
export const Messages = () => {
  const t = useText(agentTexts);
  return (
    <section className="sheet">
      <Opens summary={<h2>{t('messages')}</h2>} className="">
        {() => <MessageList />}
      </Opens>
    </section>
  );
};
