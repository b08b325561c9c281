import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../local/node-process';

const run = promisify(execFile);
const typescript = path.join(__dirname, 'support/typescript.cjs');

/** Runs code in a process with the flags with which `lockstep up` runs the api and the worker. */
async function inProcess(code: string): Promise<unknown> {
  const modules = `
    const { encode, holds } = require('./connectors/encodings');
    const { openStrengthEstimator } = require('./intake/policy/strength');
    const { Secret } = require('./model/passwords/secret');
    const password = Secret.fromText('The-new-one-9');`;
  const { stdout } = await run(
    process.execPath,
    [
      ...[...NODE_FLAGS, '--require', typescript],
      ...['--eval', `${modules}\n(async () => console.log(JSON.stringify(await (${code})())))()`],
    ],
    { cwd: path.resolve(__dirname, '..'), env: {} },
  );
  return JSON.parse(stdout);
}

test('every hash that Lockstep computes in a thread is computed under the flags of its processes', async () => {
  expect(NODE_FLAGS).toContainEqual(expect.stringMatching(/^--max-old-space-size=/));
  const schemes = ['argon2', 'bcrypt', 'sha256-crypt', 'sha512-crypt'];
  const held = await inProcess(`async () => {
    const held = {};
    for (const scheme of ${JSON.stringify(schemes)})
      held[scheme] = await holds(await encode(scheme, password), password);
    return held;
  }`);
  expect(held).toEqual(Object.fromEntries(schemes.map((scheme) => [scheme, true])));
});

test('the strength of a password is estimated under the flags of the processes', async () => {
  const strength = await inProcess(`async () => {
    const times = { deadlineMs: 30_000, startMs: 60_000, quietMs: 60_000 };
    const estimator = openStrengthEstimator(times);
    const strength = await estimator.estimate(password);
    await estimator.close();
    return strength;
  }`);
  expect(strength).toBeGreaterThan(0);
});
