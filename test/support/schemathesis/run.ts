import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type PythonModules, pythonPackages } from '../../../local/wheels';

const run = promisify(execFile);

/** Number of requests for each route. `npm run check:api` sends more than `npm test`, and covers the edges of each field. */
const WANTED = Number(process.env.LOCKSTEP_API_CHECK_REQUESTS ?? 2);
const FEW = 20;
/** A request may ask the API to wait for a minute. */
const LONGEST_WAIT_SECONDS = 90;

/** Fetches schemathesis, which sends requests that it derives from the OpenAPI document. */
export const fetchSchemathesis = (report: (line: string) => void): Promise<PythonModules> =>
  pythonPackages('schemathesis', path.join(__dirname, 'requirements.txt'), report);

/** What every answer is checked for. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

/**
 * Sends requests to every route, with the keys in turn, and checks each answer against the OpenAPI document.
 * @returns whether nothing was wrong, and what schemathesis printed: the numbers of requests, and what was wrong
 */
export async function checkApi(
  { command, env }: PythonModules,
  url: string,
  keys: readonly string[],
): Promise<{ readonly passed: boolean; readonly printed: string }> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'schemathesis-'));
  copyFileSync(path.join(__dirname, 'hooks.py'), path.join(dir, 'hooks.py'));
  // Other users of the machine could read a key in the arguments.
  writeFileSync(path.join(dir, 'keys.json'), JSON.stringify(keys), { mode: 0o600 });
  writeFileSync(path.join(dir, 'schemathesis.toml'), 'hooks = "hooks"\n');
  const args = [
    ...['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`, '--checks', CHECKS.join(',')],
    ...['--max-examples', String(WANTED), '--seed', '1', '--no-shrink', '--warnings', 'off'],
    ...['--phases', WANTED > FEW ? 'examples,coverage,fuzzing' : 'fuzzing'],
    ...['--suppress-health-check', 'all', '--continue-on-failure'],
    ...['--request-timeout', String(LONGEST_WAIT_SECONDS)],
  ];
  const modules = [dir, env.PYTHONPATH].join(path.delimiter);
  const options = {
    env: { ...env, PYTHONPATH: modules, NO_COLOR: '1', COLUMNS: '160' },
    cwd: dir,
    maxBuffer: 1 << 26,
  };
  try {
    return await run(command, args, options).then(
      ({ stdout }) => ({ passed: true, printed: stdout }),
      ({ stdout, stderr }: { stdout: string; stderr: string }) => ({
        passed: false,
        printed: stdout + stderr,
      }),
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
}
