import { Fragment } from 'react';
import { catalogue, useText } from '../../text/catalogue';

const reads = JSON.parse(EVENT_READS) as Readonly<Record<string, string>>;

const readTexts = catalogue(reads, () => import('./reads.de'));

/** Names of all events that the log can say. */
export const eventNames: readonly string[] = Object.keys(reads).sort();

/** What an event says, in the reader's language; in English in the words of the log's own catalogue. */
export const Says = ({ action }: { readonly action: string }) => {
  const t = useText(readTexts);
  if (!Object.hasOwn(reads, action)) return null;
  return (
    <span>
      {t(action)
        .split('`')
        .map((part, at) => (
          <Fragment key={at}>{at % 2 === 1 ? <code>{part}</code> : part}</Fragment>
        ))}
    </span>
  );
};
