import type { RtPerson, RtTransaction } from './rt.records';

/**
 * The kinds of transaction that say something about a ticket, its people or its conversation. None of them is withheld
 * from an account that may see the ticket; comments, which are private notes, and records of sent mail are left out.
 */
export const tellingTypes = [
  'Create',
  'Correspond',
  'Set',
  'Status',
  'AddWatcher',
  'DelWatcher',
  'SetWatcher',
  'AddLink',
  'Take',
  'Steal',
  'Give',
  'Force',
  'Untake',
] as const;

/** RT's own actors: scrips and the owner of tickets that nobody owns. */
export const isSystemUser = (person: { readonly Name: string }): boolean =>
  person.Name === 'RT_System' || person.Name === 'Nobody';

/** RT records a merge on both tickets. */
export const isMerge = ({ Type, Field }: RtTransaction): boolean => Type === 'AddLink' && Field === 'MergedInto';

const changesRequestor = ({ Type, Field }: RtTransaction): boolean => Type.endsWith('Watcher') && Field === 'Requestor';

export interface CustomerSetter {
  readonly person: RtPerson;
  /** All this person ever did to the ticket's customer was to write in, or to be added, themselves: what customers do. */
  readonly onlyThemselves: boolean;
}

/**
 * Everybody who ever decided whom a ticket is about: who created it, added or removed a requestor, or merged another
 * ticket into it (which adds that ticket's requestors without a word). The history of a merged ticket is part of it.
 */
export const customerSetters = (history: readonly RtTransaction[], requestorIds: readonly string[]): CustomerSetter[] => {
  const everNamed = new Set(requestorIds);
  for (const transaction of history) {
    if (changesRequestor(transaction) && transaction.OldValue !== null) everNamed.add(transaction.OldValue);
  }
  const setters = new Map<string, CustomerSetter>();
  for (const transaction of history) {
    const { Type, Creator, OldValue, NewValue } = transaction;
    const isCreation = Type === 'Create';
    if (isSystemUser(Creator) || !(isCreation || isMerge(transaction) || changesRequestor(transaction))) continue;
    const onlyThemselves = isCreation
      ? everNamed.has(Creator.id)
      : changesRequestor(transaction) && [OldValue, NewValue].every((id) => id === null || id === Creator.id);
    const known = setters.get(Creator.id);
    setters.set(Creator.id, { person: Creator, onlyThemselves: onlyThemselves && (known?.onlyThemselves ?? true) });
  }
  return [...setters.values()];
};

/** Who made `owner` the owner of ticket `id`: the last to say so, or else who created the ticket. Null when RT did. */
export const assignerOf = (history: readonly RtTransaction[], id: string, owner: string): RtPerson | null => {
  const own = history.filter(({ ObjectId }) => ObjectId === id);
  const assignment = own.findLast(
    ({ Type, Field, NewValue }) => Type !== 'SetWatcher' && Field === 'Owner' && NewValue === owner,
  );
  const by = (assignment ?? own.find(({ Type }) => Type === 'Create'))?.Creator;
  return by === undefined || isSystemUser(by) ? null : by;
};

/** Who last moved ticket `id` to another queue; null when nobody or RT itself did. */
export const queueMoverOf = (history: readonly RtTransaction[], id: string): RtPerson | null => {
  const move = history.findLast(({ ObjectId, Type, Field }) => ObjectId === id && Type === 'Set' && Field === 'Queue');
  return move === undefined || isSystemUser(move.Creator) ? null : move.Creator;
};

/** Transactions of a user record that concern how the person is reached or which payment customer they are. */
export interface CustomerEdits {
  readonly by: readonly RtPerson[];
  /** The person changed the address alone, so that nobody but they say it is theirs. */
  readonly selfAddressed: boolean;
}

/** The fields of a user that decide how the person is reached; mail finds users by the name as well. */
export const addressFields = ['EmailAddress', 'Name'] as const;

export const customerEdits = (userHistory: readonly RtTransaction[], customerId: string): CustomerEdits => ({
  by: userHistory.map(({ Creator }) => Creator).filter((person) => !isSystemUser(person) && person.id !== customerId),
  selfAddressed: userHistory.findLast(({ Field }) => Field === 'EmailAddress')?.Creator.id === customerId,
});

/**
 * The one value of the link field, if the last to write it was one of `writers` and wrote exactly that. RT records who
 * wrote what and lets no agent rewrite that record, so that this holds whatever rights agents have on the field.
 */
export const provenValue = (
  values: readonly unknown[],
  userHistory: readonly RtTransaction[],
  fieldId: string,
  writers: ReadonlySet<string>,
): string | null => {
  const [value, ...others] = values;
  if (typeof value !== 'string' || others.length > 0 || !/^[\x21-\x7e]{1,255}$/.test(value)) return null;
  const written = userHistory.findLast(({ Type, Field }) => Type === 'CustomField' && Field === fieldId);
  return written?.NewValue === value && writers.has(written.Creator.Name.toLowerCase()) ? value : null;
};
