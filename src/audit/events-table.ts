import { type EventKind, type Facts, step } from './event-facts';
import { catalogue, type EventName } from './events';

const cells = (facts: Facts): string => {
  const isStep = Object.entries(step).every(([name, each]) => facts[name] === each);
  const named = Object.entries(facts).filter(([name]) => !isStep || !(name in step));
  return [
    ...(isStep ? ['*step*'] : []),
    ...named.map(([name, { says, isOptional, isLater }]) => `\`${name}\`${isOptional || isLater ? '?' : ''} ${says}`),
  ].join(', ');
};

/** The catalogue as a table in Markdown, for people. A question mark: not always there. */
export const catalogueTable = (): string => {
  const rows = Object.entries<EventKind>(catalogue).map(([name, { reads, outcome, subject, detail, notes = [] }]) => {
    const about = [subject ?? null].flat().map((type) => type ?? '–');
    const details = [detail ?? {}]
      .flat()
      .map(cells)
      .filter((cell) => cell !== '');
    const texts = notes.length === 0 ? [] : [`notes ${notes.map((note) => `\`${note}\``).join(', ')}`];
    return [
      `\`${name}\`${outcome ? ` (${outcome})` : ''}`,
      about.join(', '),
      [details.join('; or '), ...texts].filter(Boolean).join('; '),
      reads,
    ];
  });
  return [['event', 'about', 'states', 'the auditor reads'], ['---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
};

/**
 * The field of the graph whose value a fact tells something of; undefined where it tells nothing that the graph shows by itself under
 * an assistance. Steps of the same name say the same in every event.
 */
export const toldBy = (action: string, fact: string): string | undefined => {
  const { detail }: EventKind = catalogue[action as EventName] ?? { reads: '' };
  return [detail ?? {}].flat().find((facts) => fact in facts)?.[fact]?.tells;
};
