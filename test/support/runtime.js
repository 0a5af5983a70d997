const { createRequire, isBuiltin } = require('node:module');
const { default: Runtime } = require('jest-runtime');
const { sharedModules } = require('./shared-modules');

/** Jest's loader of modules, for files of tests and what stands in `test/`: what they test is the worker's. */
module.exports = class extends Runtime {
  #shares = false;

  constructor(...parameters) {
    super(...parameters);
    const [, environment] = parameters;
    if (!environment.sharesModules) return;
    this.#shares = true;
    this.transformCache.sourceMaps = sharedModules.sourceMaps;
    sharedModules.transformWith((path) => this.transformCache.transform(path));
  }

  /** What Jest brings has nothing of a file of tests in it, but for the part that knows its tests. */
  requireInternalModule(from, request) {
    const isKept = this.#shares && request !== undefined && !request.startsWith('.') && !request.includes('jest-circus');
    return isKept ? createRequire(from)(request) : super.requireInternalModule(from, request);
  }

  requireModule(from, request = from, options = undefined, isActual = false) {
    const isOwn = !this.#shares || options?.isInternalModule || isActual || isBuiltin(request);
    return (isOwn ? null : sharedModules.require(from, request)) ?? super.requireModule(from, request, options, isActual);
  }
};
