import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDs389 } from '../../local/ds389';
import { mariadbProgram, startMariadb } from '../../local/mariadb';
import { superviseNode } from '../../local/node-process';
import { isRoot } from '../../local/places';
import { type Address, freePort, loopback, onPort, PortTaken } from '../../local/ports';
import { startPostgres } from '../../local/postgres';
import { freeLoopback, startSamba } from '../../local/samba';
import { giveToServer } from '../../local/server-setup';
import { ssha, startSlapd } from '../../local/slapd';
import { searchAttributes, startTemporal } from '../../local/temporal';
import { Secret } from '../../model/passwords/secret';
import { longTest } from '../support/long';
import { type Occupant, occupy } from '../support/occupant';
import { describeWith, server } from '../support/servers';
import { nginxProgram, startNginx } from '../support/servers/nginx';
import { startUnboundid } from '../support/servers/unboundid';

/** Called with each address that `startServer` has found free, before the server is started. */
let afterLook: (address: Address) => Promise<void> = async () => {};

jest.mock('../../local/ports', () => {
  const actual = jest.requireActual('../../local/ports');
  return {
    ...actual,
    async isFree(address: Address) {
      const free = await actual.isFree(address);
      if (free) await afterLook(address);
      return free;
    },
  };
});

const report = () => {};

interface Started {
  stop(): Promise<void>;
}

interface Kind {
  /** Its name in `servers.ts`, or that of a server that it needs. */
  readonly needs: string;
  /** The address that others are to take. */
  readonly address: () => Promise<Address>;
  readonly start: (dir: string, address: Address) => Promise<Started>;
  /** Whether a start takes ten seconds. */
  readonly isSlow?: true;
}

const onLoopback = async () => loopback(await freePort());

const directory = {
  suffix: 'dc=one',
  adminHash: ssha(Secret.fromText('of the administrator')),
  ...{ policy: {}, rules: [], ldif: '' },
};

const temporal = (dir: string, ports: { port?: number; uiPort?: number }) =>
  startTemporal({
    ...{ dir, namespace: 'lockstep', searchAttributes, inMemory: true, ...ports },
    binary: server('temporal').cliPath ?? '',
  });

const kinds: Readonly<Record<string, Kind>> = {
  slapd: {
    needs: 'slapd',
    address: onLoopback,
    start: (dir, { port }) => startSlapd({ dir, port, directories: [directory], report }),
  },
  '389 Directory Server': {
    needs: 'ds389',
    address: onLoopback,
    start: (dir, { port }) =>
      startDs389({ dir, port, managerHash: directory.adminHash, suffixes: ['dc=one'], report }),
  },
  'the UnboundID server': {
    needs: 'unboundid',
    address: onLoopback,
    start: (dir, { port }) => {
      const { jar = '', classes = '' } = server('unboundid');
      return startUnboundid(dir, { jar, classes }, { port });
    },
  },
  Samba: {
    needs: 'samba',
    address: async () => ({ host: await freeLoopback(), port: 636 }),
    start: (dir, { host }) => startSamba({ dir, address: host, realm: 'taken.lockstep.test' }),
    // It makes a domain first.
    isSlow: true,
  },
  PostgreSQL: {
    needs: 'postgres',
    address: onLoopback,
    start: (dir, { port }) => startPostgres({ dir, port, durable: false, report }),
  },
  MariaDB: {
    needs: 'mariadb',
    address: onLoopback,
    start: async (dir, { port }) =>
      startMariadb({ dir, port, program: await mariadbProgram(report) }),
  },
  'Temporal (frontend)': {
    needs: 'temporal',
    address: onLoopback,
    start: (dir, { port }) => temporal(dir, { port }),
  },
  'Temporal (Web UI)': {
    needs: 'temporal',
    address: onLoopback,
    start: (dir, { port }) => temporal(dir, { uiPort: port }),
  },
  nginx: {
    needs: 'nginx',
    address: onLoopback,
    start: async (dir, { port }) => {
      const file = path.join(dir, 'htpasswd');
      writeFileSync(file, '');
      giveToServer(dir);
      return startNginx(await nginxProgram(report), dir, file, port);
    },
  },
  'the worker': {
    needs: 'postgres',
    address: onLoopback,
    start: async (dir, { port }) =>
      superviseNode({
        name: 'the worker',
        entry: 'dist/worker/main.js',
        env: {
          DATABASE_URL: server('postgres').url ?? '',
          TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
          LOCKSTEP_KEY_DIR: path.join(dir, 'keys'),
          LOCKSTEP_WORKER_OPS_PORT: String(port),
        },
        logFile: path.join(dir, 'worker.log'),
        ports: [port],
        readyUrl: `http://127.0.0.1:${port}/readyz`,
      }),
  },
};

const TIMEOUT_MS = 120_000;

const parent = isRoot ? '/var/tmp' : os.tmpdir();
let dir: string;
let occupants: Occupant[];

beforeEach(() => {
  dir = mkdtempSync(path.join(parent, 'ls-'));
  chmodSync(dir, 0o755);
  occupants = [];
});
afterEach(async () => {
  afterLook = async () => {};
  await Promise.all(occupants.map((occupant) => occupant.stop()));
  rmSync(dir, { recursive: true });
});

const take = async (address: Address) => {
  occupants.push(await occupy(address));
};

describe.each(Object.entries(kinds))('%s', (name, { needs, address, start, isSlow }) => {
  describeWith([needs], 'and its port', () => {
    const folder = () => {
      const made = path.join(dir, 'server');
      mkdirSync(made);
      return made;
    };

    const promise = isSlow ? longTest : test;

    promise(
      `${name} does not start on a port that another server has`,
      async () => {
        const wanted = await address();
        await take(wanted);
        await expect(start(folder(), wanted)).rejects.toThrow(PortTaken);
      },
      TIMEOUT_MS,
    );

    promise(
      `${name} does not pass for up when another server takes its port just before it starts`,
      async () => {
        const wanted = await address();
        afterLook = async ({ host, port }) => {
          const isWanted = host === wanted.host && port === wanted.port;
          if (isWanted && occupants.length === 0) await take(wanted);
        };
        await expect(start(folder(), wanted)).rejects.toThrow(PortTaken);
        expect(occupants).toHaveLength(1);
      },
      TIMEOUT_MS,
    );
  });
});

describeWith(['slapd'], 'a server without a port of its own', () => {
  test('takes another port when the first is lost to another server', async () => {
    afterLook = async (address) => {
      if (occupants.length === 0) await take(address);
    };
    const { port, stop } = await startSlapd({ dir, directories: [directory], report });
    expect(port).not.toBe(occupants[0]?.address.port);
    await stop();
  });

  test('takes another port when its documented one is lost to another server', async () => {
    const known = await freePort();
    afterLook = async (address) => {
      if (address.port === known) await take(address);
    };
    const { port, stop } = await onPort(known, (free) =>
      startSlapd({ dir, port: free, directories: [directory], report }),
    );
    expect(port).not.toBe(known);
    expect(occupants).toHaveLength(1);
    await stop();
  });
});
