const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

/** What V8 made of a source, by file: each file of tests loads the same thousand modules into globals of its own. */
const compiled = new Map();

const { compileFunction } = vm;
vm.compileFunction = (source, parameters, options) => {
  const known = compiled.get(options.filename);
  if (known?.source === source) return compileFunction(source, parameters, { ...options, cachedData: known.cachedData });
  const made = compileFunction(source, parameters, { ...options, produceCachedData: true });
  compiled.set(options.filename, { source, cachedData: made.cachedData });
  return made;
};

/**
 * Jest's environment with an ordinary global object. Its own makes one that V8 asks a proxy about at every `Promise`,
 * `Symbol` and `Date`, which costs a third of what the gateway needs. Each file still has its own globals.
 */
module.exports = class OrdinaryGlobals extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
  }
};

// A worker that was told to end has nothing left to do, but taking a large heap apart takes it longer than Jest waits.
if (process.send) process.once('beforeExit', () => process.exit());
