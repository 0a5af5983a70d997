const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

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
