import { readFileSync } from 'node:fs';
import { parseRules, type RulesFile } from '../risk/rules-file';
import { ConfigInvalid } from './problems';

/** The risk rules of a file. Throws `ConfigInvalid` with every problem. */
export const loadRules = (file: string): RulesFile => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new ConfigInvalid([{ in: file, at: '(the whole)', expected: 'expected a readable file of risk rules' }]);
  }
  const parsed = parseRules(text);
  if (parsed.ok) return parsed.file;
  throw new ConfigInvalid(
    parsed.problems.map(({ path, line, message }) => ({
      in: file,
      at: path || '(the whole)',
      ...(line === null ? {} : { line }),
      expected: message,
    })),
  );
};
