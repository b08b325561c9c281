// PG… variables are about another server, and every client of a test would read them.
for (const name of Object.keys(process.env)) if (/^PG[A-Z_]+$/.test(name)) delete process.env[name];
// The log of what is tested would bury what the tests say.
process.env.LOCKSTEP_LOG_LEVEL ??= 'silent';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/support/no-deprecations.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.(t|j)s$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // These ship ES modules only, which jest does not load as they are.
  transformIgnorePatterns: ['/node_modules/(?!(jose|listr2|ldapts|@peculiar)/)'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.lockstep'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  setupFiles: ['<rootDir>/test/support/threads.cjs'],
  // Twenty times what most tests need: a busy machine is slow, and a test that hangs is rare.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/test/support/sequencer.cjs',
  // More than the two cores of the CI machine, because the tests wait for servers and time limits half of the time.
  maxWorkers: 3,
};
