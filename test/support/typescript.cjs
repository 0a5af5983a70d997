// `node --require` this file to run the sources of the tests in a process of their own, compiled as jest compiles them.
const { transformFileSync } = require('@swc/core');

require.extensions['.ts'] = (loaded, filename) => {
  const { code } = transformFileSync(filename, { module: { type: 'commonjs' }, sourceMaps: 'inline' });
  loaded._compile(code, filename);
};
