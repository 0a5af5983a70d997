import { readFileSync } from 'node:fs';
import type { Classification } from '../authz/policy/classification';
import { type ExposureOptions, ExposurePolicy } from '../authz/policy/exposure';
import { ConfigInvalid } from './problems';

/** The exposure policy of a file against the graph and what is configured. Throws `ConfigInvalid` with every problem. */
export const loadPolicy = (
  file: string,
  classification: Classification,
  { mfaRequired, channels, embeds }: Required<ExposureOptions>,
): ExposurePolicy => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new ConfigInvalid([{ in: file, at: '(the whole)', expected: 'expected a readable policy file' }]);
  }
  const loaded = ExposurePolicy.load(text, classification, { mfaRequired, channels, embeds });
  if (loaded.ok) return loaded.policy;
  throw new ConfigInvalid(
    loaded.problems.map((problem) => ({
      in: file,
      at: problem.path,
      ...(problem.line === null ? {} : { line: problem.line }),
      expected: problem.message,
    })),
  );
};
