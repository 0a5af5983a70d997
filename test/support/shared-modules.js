const { existsSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join, resolve, sep } = require('node:path');
const { compileFunction } = require('node:vm');

const root = join(__dirname, '..', '..') + sep;
const tests = join(root, 'test') + sep;
/** A file of tests, and what stands in `test/`, asks for `expect`, `jest` or the engine: it belongs to one file of tests. */
const isShared = (path) => path.startsWith(root) && !path.startsWith(tests) && !path.endsWith('.test.ts');

const isFile = (request) => /^\.{0,2}\//.test(request);
const typeScript = (from, request) => {
  const path = resolve(dirname(from), request);
  return [path, `${path}.ts`, join(path, 'index.ts')].find((each) => each.endsWith('.ts') && existsSync(each));
};

/**
 * The gateway's modules and those of `node_modules`, loaded once a worker as Node loads them: one set of globals, one copy
 * of each class, and what V8 has learnt about the code in one file of tests serves the next.
 */
class SharedModules {
  /** Globals that a module has made for itself, such as the metadata of decorators: they stay as long as it does. */
  globals = new Set();
  /** Where the source map of a module is, of the files of tests too. */
  sourceMaps = new Map();
  #modules = new Map();
  #transform;
  #loading = false;

  /** `transform` makes JavaScript of the TypeScript in a file. */
  transformWith(transform) {
    this.#transform = transform;
  }

  /** What a file of tests, or one in `test/`, requires; null where that is another of them. */
  require(from, request) {
    const source = isFile(request) ? typeScript(from, request) : undefined;
    if (source && !isShared(source)) return null;
    return this.#load(source, () => createRequire(from)(request));
  }

  /** A source, or what is loaded otherwise. */
  #load(source, otherwise) {
    const loaded = this.#modules.get(source);
    if (loaded) return loaded.exports;
    const before = this.#loading ? null : new Set(Reflect.ownKeys(globalThis));
    this.#loading = true;
    try {
      return source ? this.#run(source) : otherwise();
    } finally {
      if (before) {
        this.#loading = false;
        for (const key of Reflect.ownKeys(globalThis)) if (!before.has(key)) this.globals.add(key);
      }
    }
  }

  #run(path) {
    const module = { exports: {} };
    this.#modules.set(path, module);
    const outside = createRequire(path);
    const require = (request) => this.#load(isFile(request) ? typeScript(path, request) : undefined, () => outside(request));
    try {
      const parameters = ['module', 'exports', 'require', '__filename', '__dirname'];
      const run = compileFunction(this.#transform(path), parameters, { filename: path });
      run(module, module.exports, require, path, dirname(path));
    } catch (error) {
      this.#modules.delete(path);
      throw error;
    }
    return module.exports;
  }
}

module.exports = { sharedModules: new SharedModules() };
