const { AsyncLocalStorage } = require('node:async_hooks');
const { ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');
const { here } = require('./compiled-once');
const { sharedModules } = require('./shared-modules');

/** Makes the globals, the environment variables and `process.exit` again what they are now. */
const remembered = () => {
  const globals = new Map(Reflect.ownKeys(globalThis).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)]));
  const variables = { ...process.env };
  const { exit } = process;
  return () => {
    for (const key of Reflect.ownKeys(globalThis)) {
      const before = globals.get(key);
      const now = Object.getOwnPropertyDescriptor(globalThis, key);
      if (!now.configurable || sharedModules.globals.has(key)) continue;
      if (!before) delete globalThis[key];
      else if (before.value !== now.value || before.get !== now.get) Object.defineProperty(globalThis, key, before);
    }
    for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
    Object.assign(process.env, variables);
    process.exit = exit;
  };
};

/** What keeps something through promises. Jest makes one for each file of tests, and each that was used costs every later promise. */
const storages = new Set();
const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (...parameters) {
  storages.add(this);
  return run.apply(this, parameters);
};

/**
 * Where a file of tests runs: among the globals of the worker, with the modules that the worker has loaded. Whatever it did
 * to the globals, the environment variables and the mocks is undone when it ends.
 */
module.exports = class WorkerGlobals {
  sharesModules = true;
  global = globalThis;
  fakeTimers = null;
  moduleMocker = new ModuleMocker(globalThis);
  #context = here;
  #undo = remembered();

  constructor({ projectConfig }) {
    Object.assign(globalThis, projectConfig.globals);
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return this.#context;
  }

  async setup() {
    // Jest's hundred lines of stack are formatted for every answer that holds an error.
    Error.stackTraceLimit = 10;
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    for (const storage of storages) storage.disable();
    storages.clear();
    this.#context = null;
    this.#undo();
  }
};

// A worker that was told to end has nothing left to do, but taking a large heap apart takes it longer than Jest waits.
if (process.send) process.once('beforeExit', () => process.exit());
