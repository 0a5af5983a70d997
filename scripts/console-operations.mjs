// Makes console/app/graph/operations.ts: each operation of the console as a text and its types, checked against schema/schema.graphql.
//
//   node scripts/console-operations.mjs [--check]    with --check it only says whether the file is as it would be made

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  parse,
  specifiedRules,
  stripIgnoredCharacters,
  typeFromAST,
  validate,
} from 'graphql';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'console', 'app');
const target = join(folder, 'graph', 'operations.ts');
const schema = buildSchema(readFileSync(join(root, 'schema', 'schema.graphql'), 'utf8'));

/** What a scalar is in JSON. */
const scalars = { Int: 'number', Float: 'number', SafeInt: 'number', Boolean: 'boolean' };

const files = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.graphql'))
  .sort();
const definitions = files.flatMap((name) => {
  const { definitions: found } = parse(readFileSync(join(folder, name), 'utf8'));
  return found.map((definition) => ({ definition, name }));
});
const document = { kind: Kind.DOCUMENT, definitions: definitions.map(({ definition }) => definition) };
const faults = validate(
  schema,
  document,
  specifiedRules.filter(({ name }) => name !== 'UnusedFragmentsRule'),
);
if (faults.length > 0) {
  for (const { message, nodes } of faults) {
    const at = nodes?.[0]?.loc;
    const place = definitions.find(({ definition }) => definition.loc?.source === at?.source)?.name ?? '?';
    console.error(`console/app/${place}:${at?.startToken.line ?? 1}: ${message}`);
  }
  process.exit(1);
}

const fragments = new Map();
const operations = [];
for (const { definition } of definitions) {
  if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
}
operations.sort((a, b) => (a.name.value < b.name.value ? -1 : 1));

const used = new Map();

const leaf = (type) => {
  if (!isEnumType(type)) return scalars[type.name] ?? 'string';
  used.set(
    type.name,
    type
      .getValues()
      .map(({ name }) => `'${name}'`)
      .join(' | '),
  );
  return type.name;
};

const wrapped = (type, named) => {
  if (isNonNullType(type)) return wrappedOnly(type.ofType, named);
  return `${wrappedOnly(type, named)} | null`;
};
const wrappedOnly = (type, named) => (isListType(type) ? `readonly (${wrapped(type.ofType, named)})[]` : named);

/** The selections for one concrete type, fragments taken in. */
const fieldsFor = (type, selectionSet, into = new Map()) => {
  for (const selection of selectionSet.selections) {
    if (selection.kind === Kind.FIELD) {
      const key = selection.alias?.value ?? selection.name.value;
      const known = into.get(key);
      const isConditional = selection.directives.some(({ name }) => name.value === 'include' || name.value === 'skip');
      if (!known)
        into.set(key, {
          name: selection.name.value,
          sets: selection.selectionSet ? [selection.selectionSet] : [],
          isConditional,
        });
      else if (selection.selectionSet) known.sets.push(selection.selectionSet);
      continue;
    }
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
    const condition = fragment.typeCondition ? schema.getType(fragment.typeCondition.name.value) : type;
    if (condition === type || (isAbstractType(condition) && schema.isSubType(condition, type)))
      fieldsFor(type, fragment.selectionSet, into);
  }
  return into;
};

const objectFor = (type, sets) => {
  const fields = new Map();
  for (const set of sets) fieldsFor(type, set, fields);
  const lines = [...fields].map(([key, { name, sets: inner, isConditional }]) => {
    const mark = isConditional ? '?' : '';
    if (name === '__typename') return `readonly ${key}: '${type.name}';`;
    const field = type.getFields()[name];
    const named = getNamedType(field.type);
    return `readonly ${key}${mark}: ${wrapped(field.type, isLeafType(named) ? leaf(named) : selected(named, inner))};`;
  });
  return `{ ${lines.join(' ')} }`;
};

const selected = (type, sets) =>
  isAbstractType(type)
    ? `(${schema
        .getPossibleTypes(type)
        .map((each) => objectFor(each, sets))
        .join(' | ')})`
    : objectFor(type, sets);

const input = (type) => {
  if (isLeafType(type)) return leaf(type);
  if (isInputObjectType(type) && !used.has(type.name)) {
    used.set(type.name, '');
    const lines = Object.values(type.getFields()).map(({ name, type: of, defaultValue }) => {
      const optional = !isNonNullType(of) || defaultValue !== undefined;
      return `readonly ${name}${optional ? '?' : ''}: ${wrapped(of, input(getNamedType(of)))}${optional ? ' | undefined' : ''};`;
    });
    used.set(type.name, `{ ${lines.join(' ')} }`);
  }
  return type.name;
};

const fragmentsIn = (node, into = new Set()) => {
  JSON.stringify(node, (key, value) => {
    if (value?.kind === Kind.FRAGMENT_SPREAD && !into.has(value.name.value)) {
      into.add(value.name.value);
      fragmentsIn(fragments.get(value.name.value), into);
    }
    return key === 'loc' ? undefined : value;
  });
  return into;
};

const written = (definition) => definition.loc.source.body.slice(definition.loc.start, definition.loc.end);
const unused = new Set(fragments.keys());

const texts = operations.map((operation) => {
  const name = operation.name.value;
  const kind = operation.operation;
  const type = schema.getRootType(kind);
  const of = [...fragmentsIn(operation)].sort();
  for (const each of of) unused.delete(each);
  const text = stripIgnoredCharacters([operation, ...of.map((each) => fragments.get(each))].map(written).join('\n'));
  const variables = operation.variableDefinitions.map(({ variable, type: node, defaultValue }) => {
    const given = typeFromAST(schema, node);
    const optional = !isNonNullType(given) || defaultValue !== undefined;
    const named = wrapped(given, input(getNamedType(given)));
    return `readonly ${variable.name.value}${optional ? '?' : ''}: ${named}${optional ? ' | undefined' : ''};`;
  });
  return [
    `export interface ${name}Data ${objectFor(type, [operation.selectionSet])}`,
    `export type ${name}Variables = ${variables.length === 0 ? 'Record<string, never>' : `{ ${variables.join(' ')} }`};`,
    `export const ${name} = operation<${name}Data, ${name}Variables>('${kind}', ${JSON.stringify(text)});`,
  ].join('\n');
});
if (unused.size > 0) {
  console.error(`No operation of the console uses the fragment ${[...unused].join(', ')}.`);
  process.exit(1);
}

const content = [
  '// Made by scripts/console-operations.mjs from the .graphql files of this folder and schema/schema.graphql. Not to be edited.',
  '',
  "import { operation } from './operation';",
  '',
  ...[...used]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, type]) => (type.startsWith('{') ? `export interface ${name} ${type}` : `export type ${name} = ${type};`)),
  '',
  texts.join('\n\n'),
  '',
].join('\n');

if (process.argv.includes('--check')) {
  if (!existsSync(target) || readFileSync(target, 'utf8') !== content) {
    console.error(`${relative(root, target)} isn't what the schema and the operations make: run \`npm run console:operations\`.`);
    process.exit(1);
  }
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== content) writeFileSync(target, content);
