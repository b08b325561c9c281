import path from 'node:path';
import { run } from './run.mjs';

const jest = path.resolve(import.meta.dirname, '../node_modules/jest/bin/jest.js');
const reporter = path.join(import.meta.dirname, 'tally-reporter.mjs');

const rulesReporter = path.join(import.meta.dirname, 'conformance-reporter.mjs');

/** Runs the tests that check the rules of docs/semantics.md, and prints for each rule whether it is kept. */
export async function conformance(args) {
  const { keepers } = await import('../dist/scripts/semantics.js');
  const files = [...new Set(keepers('.').map(({ file }) => file))];
  return test([...files, ...args, '--testNamePattern=\\[rule ', `--reporters=${rulesReporter}`]);
}

const TORTURE_SEEDS = 10_000;

/** Runs the simulator over many seeded schedules; `npm test` runs a few. */
export function torture(args) {
  process.env.LOCKSTEP_SEEDS ??= String(TORTURE_SEEDS);
  process.env.LOCKSTEP_TEST_SERVERS ??= 'postgres';
  return test(['test/simulator', ...args, '--testNamePattern=every simulated schedule']);
}

/** Runs in full the tests of which `npm test` runs a part, because they take minutes. */
export function checkLong(args) {
  process.env.LOCKSTEP_LONG_TESTS ??= 'yes';
  const e2e = ['crashes', 'outages', 'loops', 'up'].map((name) => `e2e/${name}`);
  const kinds = ['scim', 'entra', 'okta', 'pingone', 'webhook', 'sql-column'];
  const connectors = kinds.map((kind) => `connectors/${kind}`);
  const others = ['bench/bench', 'capture/relay', 'api/fuzz', 'local/impostors'];
  const files = [...others, ...e2e, ...connectors];
  return test([...files.map((file) => `test/${file}.test.ts`), ...args]);
}

const API_CHECK_REQUESTS = 100;

/** Checks the API with schemathesis, by many requests to each route; `npm test` sends a few. */
export function checkApi(args) {
  process.env.LOCKSTEP_API_CHECK_REQUESTS ??= String(API_CHECK_REQUESTS);
  process.env.LOCKSTEP_TEST_SERVERS ??= 'postgres';
  return test(['test/api/schemathesis.test.ts', ...args]);
}

/**
 * Runs the tests of the key server against a real one: the program in LOCKSTEP_CHECK_KEY_SERVER, or a Vault that is built.
 * `npm test` runs them against a stand-in.
 */
export function checkKeyStore(args) {
  process.env.LOCKSTEP_CHECK_KEY_SERVER ??= 'build';
  process.env.LOCKSTEP_TEST_SERVERS ??= 'postgres,slapd,temporal,workflows';
  const files = ['store/worker/keys/key-server', 'worker/key-store', 'cli/sso-secret'];
  return test([...files.map((file) => `test/${file}.test.ts`), ...args]);
}

const WAITING_ACCOUNTS = 10_000;

/** Checks the pages of the console with 10,000 waiting accounts, measures them, and shows them in every mode. */
export function checkConsole(args) {
  process.env.LOCKSTEP_CONSOLE_ACCOUNTS ??= String(WAITING_ACCOUNTS);
  process.env.LOCKSTEP_TEST_SERVERS ??= 'postgres,slapd,temporal,workflows';
  return test(['test/console', ...args]);
}

/**
 * Runs the sync types of single sign-on, with their faults, between a Samba domain and every kind of external system.
 * `npm test` runs them with one system.
 */
export function checkSso(args) {
  process.env.LOCKSTEP_CHECK_SSO ??= 'all';
  process.env.LOCKSTEP_TEST_SERVERS ??= 'samba,mariadb,slapd,postgres,temporal,workflows';
  return test(['test/worker/sso-flows.test.ts', 'test/e2e/sso.test.ts', ...args]);
}

/**
 * Runs jest and prints a last line with the counts, which any CI can read. A run without any test fails.
 * @param {string[]} args arguments of jest
 * @returns {Promise<number>} the exit code
 */
export async function test(args) {
  let tally;
  const code = await run([jest, ...args, '--reporters=default', `--reporters=${reporter}`], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    onMessage: (message) => {
      tally = message;
    },
  });
  // Options such as `--listTests` run no test and report no counts.
  if (tally === undefined && code === 0) return 0;
  const { passed, failed, skipped } = tally ?? { passed: 0, failed: 0, skipped: 0 };
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return code || (passed + failed === 0 ? 1 : 0);
}
