import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'ldapts';
import { freeLoopback, type Samba, startSamba } from '../../local/samba';
import { describeWith } from '../support/servers';

describeWith(['samba'], 'startSamba', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'samba test-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const domainSid = async ({ url, caFile, serverName, base, adminDn, adminPassword }: Samba) => {
    const tlsOptions = { ca: [readFileSync(caFile)], servername: serverName };
    const client = new Client({ url, tlsOptions, timeout: 50_000 });
    try {
      await client.bind(adminDn, adminPassword().text());
      const found = await client.search(base, {
        scope: 'base',
        attributes: ['objectSid'],
        explicitBufferAttributes: ['objectSid'],
      });
      return found.searchEntries[0]?.objectSid;
    } finally {
      await client.unbind();
    }
  };

  test('a second start on the same folder has the same domain, also at another address', async () => {
    const sids: unknown[] = [];
    for (let starts = 0; starts < 2; starts++) {
      const address = await freeLoopback();
      const server = await startSamba({ dir, address, realm: 'kept.lockstep.test' });
      sids.push(await domainSid(server));
      await server.stop();
    }
    expect(sids[0]).toBeInstanceOf(Buffer);
    expect(sids[1]).toEqual(sids[0]);
  });
});
