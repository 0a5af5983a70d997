import { useState } from 'react';
import { PanelMessages, type PanelMessagesData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { NotShown, RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { Time } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { formTexts } from './form-texts';
import { useShown } from './shown';

type Page = NonNullable<NonNullable<PanelMessagesData['ticket']>['messages']>;
type Message = Page['nodes'][number];

const One = ({ message: { author, createdAt, body, truncated, redactions } }: { readonly message: Message }) => {
  const t = useText(formTexts);
  const role =
    author === null
      ? null
      : t(
          `author${author.__typename === 'StaffAuthor' ? 'Staff' : author.__typename === 'SystemAuthor' ? 'System' : 'Customer'}`,
        );
  const removed = redactions?.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return (
    <li>
      <p className="quiet">
        {role}
        {author?.displayName ? (
          <>
            , <Foreign text={author.displayName} />
          </>
        ) : null}
        {createdAt === null ? null : (
          <>
            {' · '}
            <Time at={createdAt} />
          </>
        )}
      </p>
      {body ? (
        <p className="said">
          <Foreign text={body} />
        </p>
      ) : (
        <p className="quiet">{t('noText')}</p>
      )}
      {truncated ? <p className="quiet">{t('truncated')}</p> : null}
      {removed > 0 ? <p className="quiet">{t('redacted', { count: removed })}</p> : null}
    </li>
  );
};

/** Messages from one on, a page at a time. */
const From = ({ after }: { readonly after: string | null }) => {
  const t = useText(formTexts);
  const common = useText(commonTexts);
  const { ticketId } = useShown();
  const [goesOn, goOn] = useState(false);
  const answer = useGraph(PanelMessages, { ticketId, after });
  if (answer.state === 'loading') return <p role="status">{common('loading')}</p>;
  if (answer.state === 'refused') return <RefusalNotice refusal={answer.refusal} />;
  const page = answer.data.ticket?.messages ?? null;
  const refusal = answer.refusals.of('Ticket.messages') ?? answer.refusals.first;
  if (page === null) return refusal === null ? <p className="quiet">{t('noMessages')}</p> : <NotShown refusal={refusal} />;
  const { endCursor, hasNextPage } = page.pageInfo;
  return (
    <>
      {page.nodes.length === 0 && after === null ? <p className="quiet">{t('noMessages')}</p> : null}
      <ul className="items">
        {page.nodes.map((message) => (
          <One key={message.id} message={message} />
        ))}
      </ul>
      {!hasNextPage || endCursor === null ? null : goesOn ? (
        <From after={endCursor} />
      ) : (
        <button type="button" className="small" onClick={() => goOn(true)}>
          {common('more')}
        </button>
      )}
    </>
  );
};

export default () => <From after={null} />;
