/** Runs TypeScript from the working tree without a build: `node -r test/support/typescript.cjs file.ts`. */
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const path = require('node:path');

// Hundreds of processes of the tests compile the same files, which would take most of their time.
const cache = path.resolve(__dirname, '../../node_modules/.cache/lockstep-typescript');

require.extensions['.ts'] = (module, filename) => {
  const source = readFileSync(filename, 'utf8');
  const kept = path.join(cache, createHash('sha256').update(filename).update(source).digest('hex'));
  module._compile(read(kept) ?? compile(source, filename, kept), filename);
};

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function compile(source, filename, kept) {
  const { code } = require('@swc/core').transformSync(source, {
    filename,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  mkdirSync(cache, { recursive: true });
  // A process that reads meanwhile sees a complete file or none.
  writeFileSync(`${kept}.${process.pid}`, code);
  renameSync(`${kept}.${process.pid}`, kept);
  return code;
}
