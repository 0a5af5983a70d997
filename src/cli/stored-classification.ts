import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Classification, ClassifiedField } from '../authz/policy/classification';

/** Of the build, or of the checkout where the sources run as they are. */
const root = join(__dirname, '..', '..');
const file = join(root, 'classification.json');

interface Stored {
  /** Of all that the graph was described by, so that what is stored is never taken for that of another build. */
  readonly digest: string;
  readonly modules: readonly string[];
  readonly fields: readonly ClassifiedField[];
  readonly interfaces: readonly string[];
  readonly filterable: readonly string[];
  readonly sortable: readonly string[];
}

const digestOf = (modules: readonly string[]): string => {
  const digest = createHash('sha256');
  for (const module of modules)
    digest
      .update(module)
      .update('\0')
      .update(readFileSync(join(root, module)))
      .update('\0');
  return digest.digest('hex');
};

const describe = (): Classification =>
  (require('../features/schema') as typeof import('../features/schema')).describeGraph().classification;

/** What the build wrote; null where it wrote nothing, or where a module is another one since. */
const read = (): Classification | null => {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    if (digestOf(stored.modules) !== stored.digest) return null;
    return {
      fields: new Map(stored.fields.map((field) => [field.coordinate, field])),
      interfaces: new Set(stored.interfaces),
      filterable: new Set(stored.filterable),
      sortable: new Set(stored.sortable),
    };
  } catch {
    return null;
  }
};

/**
 * The classes of the graph's fields: as the build wrote them down, or, where that isn't of exactly these modules, from the
 * graph itself, which takes a second. The gateway never asks here.
 */
export const graphClassification = (): Classification => read() ?? describe();

/** The build's last step, in a process of its own: all that it has loaded then is what the graph was described by. */
export const storeClassification = (): void => {
  const { fields, interfaces, filterable, sortable } = describe();
  const modules = Object.keys(require.cache)
    .filter((path) => path.startsWith(root) && !path.includes('/node_modules/'))
    .map((path) => relative(root, path))
    .sort();
  const stored: Stored = {
    digest: digestOf(modules),
    modules,
    fields: [...fields.values()],
    interfaces: [...interfaces],
    filterable: [...filterable],
    sortable: [...sortable],
  };
  writeFileSync(file, JSON.stringify(stored));
};
