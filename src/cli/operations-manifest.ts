import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import type { OfferedDocument } from '../features/operations/examine';
import { CommandFailed } from './report';

/** Largest file, in bytes. */
const largestFile = 4 * 1_024 * 1_024;
/** Characters of a name or an id that a message repeats. */
const longestLabel = 80;

const accepted =
  'expected a manifest of Apollo’s generate-persisted-query-manifest, a map from hashes to texts as graphql-codegen’s client preset writes it (persisted-documents.json), or GraphQL in a file named .graphql or .gql';

const apolloOperation = z.object({
  name: z.string(),
  type: z.string(),
  body: z.string(),
  // Operations are registered for every client: whoever binds one to a client would believe that it is.
  clientName: z.null('expected no clientName: operations are registered for all clients').optional(),
});
const apolloManifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.union([
    z.array(apolloOperation.extend({ id: z.string() })),
    // As other tools write the same format: by id.
    z.record(z.string(), apolloOperation).transform((byId) => Object.entries(byId).map(([id, each]) => ({ id, ...each }))),
  ]),
});
const textsByHash = z.record(z.string(), z.string());

/** What a terminal shows of a text that somebody else wrote. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');

const labelled = (file: string, name: string): string => `${file}: ${printable(name).slice(0, longestLabel)}`;

const textOf = (file: string): string => {
  if (statSync(file).size > largestFile) throw new Error(`expected at most ${largestFile / 1_024 / 1_024} MiB`);
  // To the byte, a mark at its beginning included: the hash is what sha256sum prints.
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
};

const inManifest = (file: string, content: unknown): readonly OfferedDocument[] => {
  if (typeof content === 'object' && content !== null && 'format' in content) {
    const { operations } = apolloManifest.parse(content);
    return operations.map(({ id, name, type, body }) => ({ from: labelled(file, name), id, name, type, text: body }));
  }
  return Object.entries(textsByHash.parse(content)).map(([id, text]) => ({
    from: labelled(file, id),
    id,
    name: null,
    type: null,
    text,
  }));
};

const inFile = (file: string): readonly OfferedDocument[] => {
  if (/\.(?:graphql|gql)$/i.test(file)) return [{ from: file, id: null, name: null, type: null, text: textOf(file) }];
  if (!/\.json$/i.test(file)) throw new Error(accepted);
  return inManifest(file, JSON.parse(textOf(file).replace(/^\uFEFF/, '')));
};

const whyNot = (error: unknown): string => {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    const at = issue?.path.map(String).join('.') ?? '';
    return at === '' || issue?.code === 'invalid_union' ? accepted : `${printable(at)}: ${issue?.message}`;
  }
  if (error instanceof SyntaxError) return 'expected JSON';
  if (error instanceof TypeError) return 'expected UTF-8';
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `can’t be read (${code})`;
};

/** The documents in these files. Throws `CommandFailed` with what is wrong with each file. */
export const documentsIn = (files: readonly string[]): readonly OfferedDocument[] => {
  const problems: string[] = [];
  const documents = files.flatMap((file) => {
    try {
      const found = inFile(file);
      if (found.length === 0) throw new Error('expected operations, found none');
      return found;
    } catch (error) {
      problems.push(`${file}: ${whyNot(error)}`);
      return [];
    }
  });
  if (problems.length > 0) throw new CommandFailed(problems.join('\n'));
  return documents;
};
