import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { startTestApi, type TestApi } from '../support/api';
import { objectionsTo } from '../support/opengraph';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'lockstep graph', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-graph-'));
  let api: TestApi;
  const lockstep = lockstepAt(() => api);
  const read = (...names: readonly string[]) => readFileSync(path.join(dir, ...names), 'utf8');

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(async () => {
    await api.stop();
    rmSync(dir, { recursive: true });
  });

  test('lockstep graph writes valid BloodHound files in the order of their upload, readable only by their owner', async () => {
    const out = path.join(dir, 'new', 'bloodhound');
    const { code, stdout } = await lockstep(['graph', '--out', out, '--schema', '-o', 'json']);
    expect(code).toBe(0);
    const names = ['lockstep-schema.json', 'lockstep.json', 'lockstep-hybrid.json'];
    expect(JSON.parse(stdout)).toEqual({ files: names.map((name) => path.join(out, name)) });
    expect(readdirSync(out).sort()).toEqual([...names].sort());
    for (const name of names) expect(statSync(path.join(out, name)).mode & 0o777).toBe(0o600);
    const lockstepGraph = JSON.parse(read('new', 'bloodhound', 'lockstep.json'));
    expect(objectionsTo(lockstepGraph)).toEqual([]);
    expect(JSON.stringify(lockstepGraph)).toContain('alice@warehouse');
    expect(JSON.parse(read('new', 'bloodhound', 'lockstep-hybrid.json'))).not.toHaveProperty(
      'metadata',
    );
    expect(JSON.parse(read('new', 'bloodhound', 'lockstep-schema.json'))).toHaveProperty('schema');
  });

  test('lockstep graph --svg draws a picture and replaces an older one', async () => {
    const file = path.join(dir, 'picture.svg');
    for (const _ of [1, 2]) {
      const { code, stdout } = await lockstep(['graph', '--svg', file]);
      expect([code, stdout]).toEqual([0, `${file}\n`]);
    }
    expect(read('picture.svg')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  test.each([
    [['graph'], 2, 'Name what to write'],
    [['graph', '--schema'], 2, '--schema needs --out'],
    [['graph', '--svg', '/dev/null/picture.svg'], 1, 'cannot be written'],
  ])('lockstep %j fails with a message that says what to do', async (args, code, says) => {
    const ended = await lockstep(args);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(says)]);
  });

  test('lockstep graph leaves no partial file if the answer breaks off', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"graph":{"nodes":[', () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const out = path.join(dir, 'broken');
    const env = { LOCKSTEP_URL: `http://127.0.0.1:${port}` };
    const { code, stderr } = await lockstep(['graph', '--out', out], { env });
    server.close();
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('was lost before the answer arrived'),
    ]);
    expect(readdirSync(out)).toEqual([]);
  });
});
