import type { Act } from '../../graph/use';

/** Does something to one of what is listed, and has the list looked at again. Resolves with what became of it in words; null where it was refused. */
export const doing = async <Data, Variables>(
  act: Act<Data, Variables>,
  variables: Variables,
  look: () => void,
  said: (done: Data) => string,
): Promise<string | null> => {
  const done = await act.run(variables);
  look();
  return done === null ? null : said(done);
};
