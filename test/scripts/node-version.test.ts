import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { start } from './clone';

const root = path.resolve(__dirname, '../..');
const engines: string = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).engines
  .node;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep node-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Starts the launcher with an unknown command under a Node that claims to be this version. */
function under(version: string) {
  const pretend = path.join(dir, `${version}.js`);
  writeFileSync(
    pretend,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  );
  return start(process.execPath, ['-r', pretend, 'scripts/go.mjs', 'nothing'], root).ended;
}

test.each(['18.20.8', '20.18.3', '21.7.3', '22.12.0'])(
  'the launcher refuses Node %s and names the supported versions',
  async (version) => {
    const { code, stderr } = await under(version);
    expect(stderr).toContain(`Lockstep needs Node ${engines}; this is ${version}.`);
    expect(code).toBe(1);
  },
);

test.each(['20.19.0', '22.13.0', '24.0.0'])('the launcher accepts Node %s', async (version) => {
  expect((await under(version)).stderr).toContain('Usage:');
});
