import { Fragment } from 'react';

const reads = JSON.parse(EVENT_READS) as Readonly<Record<string, string>>;

/** Names of all events that the log can say. */
export const eventNames: readonly string[] = Object.keys(reads).sort();

/** What an event says, in the words of the log's own catalogue, which are English. */
export const Says = ({ action }: { readonly action: string }) => {
  const sentence = reads[action];
  if (sentence === undefined) return null;
  return (
    <span lang="en">
      {sentence.split('`').map((part, at) => (
        <Fragment key={at}>{at % 2 === 1 ? <code>{part}</code> : part}</Fragment>
      ))}
    </span>
  );
};
