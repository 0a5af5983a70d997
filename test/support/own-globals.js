const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');
require('./compiled-once');

/**
 * Jest's environment with an ordinary global object. Its own makes one that V8 asks a proxy about at every `Promise`,
 * `Symbol` and `Date`, which costs a third of what the gateway needs. For a file of tests that replaces modules, and for
 * whoever watches: it has its own globals, and loads every module for itself.
 */
module.exports = class OwnGlobals extends TestEnvironment {
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
