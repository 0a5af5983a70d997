const vm = require('node:vm');

/** What V8 made of a source for Jest, by file: each file of tests loads Jest itself, and what stands in `test/support/`, anew. */
const compiled = new Map();
/** In place of the context to compile for: the worker's own. */
const here = Object.freeze({});

const { compileFunction } = vm;
vm.compileFunction = (source, parameters, { parsingContext, ...rest }) => {
  if (!parsingContext) return compileFunction(source, parameters, rest);
  const options = parsingContext === here ? rest : { ...rest, parsingContext };
  const known = compiled.get(options.filename);
  if (known?.source === source) return compileFunction(source, parameters, { ...options, cachedData: known.cachedData });
  const made = compileFunction(source, parameters, { ...options, produceCachedData: true });
  compiled.set(options.filename, { source, cachedData: made.cachedData });
  return made;
};

module.exports = { here };
