import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Certificates, certificatesIn } from '../../local/certificates';
import { type Address, freePort, loopback, onFreePort, PortTaken } from '../../local/ports';
import { startServer } from '../../local/processes';
import { isProven, type Proof } from '../../local/proofs';
import { type Occupant, occupy } from '../support/occupant';

describe('a proof that our process has a port', () => {
  let dir: string;
  let own: Certificates;
  let impostor: Occupant;
  let port: number;
  let server: ChildProcess;
  const header = { name: 'lockstep-server', value: 'one of a kind' };

  /** Serves HTTP and TLS on two ports, as a server of ours does. */
  const program = `
    const [port, certFile, keyFile] = process.argv.slice(1);
    const { readFileSync } = require('node:fs');
    require('node:http')
      .createServer((_, answer) => answer.setHeader('${header.name}', '${header.value}').end())
      .listen(Number(port), '127.0.0.1', () => console.log('up'));
    require('node:tls')
      .createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
      .listen(Number(port) + 1, '127.0.0.1', () => console.log('up'));`;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-proofs-'));
    own = await certificatesIn(path.join(dir, 'tls'));
    impostor = await occupy(loopback(await freePort()));
    port = await freePort();
    server = spawn(process.execPath, ['-e', program, String(port), own.certFile, own.keyFile]);
    let printed = '';
    for await (const chunk of server.stdout ?? []) {
      printed += chunk;
      if (printed === 'up\nup\n') break;
    }
  });
  afterAll(async () => {
    server.kill();
    await once(server, 'exit');
    await impostor.stop();
    rmSync(dir, { recursive: true });
  });

  const proofs: readonly [name: string, proof: () => Proof, of: () => Address][] = [
    ['owner', () => ({ by: 'owner' }), () => loopback(port)],
    ['certificate', () => ({ by: 'certificate', caFile: own.caFile }), () => loopback(port + 1)],
    ['header', () => ({ by: 'header', ...header }), () => loopback(port)],
  ];

  test.each(proofs)('of the kind %s holds for our server', async (_, proof, address) => {
    expect(await isProven({ ...address(), proof: proof() }, server.pid ?? 0)).toBe(true);
  });

  test.each(proofs)('of the kind %s does not hold for an impostor', async (_, proof) => {
    const listener = { ...impostor.address, proof: proof() };
    expect(await isProven(listener, server.pid ?? 0)).toBe(false);
  });

  test.each(proofs)('of the kind %s does not hold where no server listens', async (_, proof) => {
    const listener = { ...loopback(await freePort()), proof: proof() };
    expect(await isProven(listener, server.pid ?? 0)).toBe(false);
  });
});

describe('startServer', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-processes-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** Writes its process id, and listens nowhere. */
  const idle = (port: number) => {
    const mark = path.join(dir, 'started');
    writeFileSync(mark, '');
    const spec = {
      name: 'an idle server',
      command: process.execPath,
      args: [
        '-e',
        `require('fs').writeFileSync('${mark}', String(process.pid)); setInterval(() => {}, 1000)`,
      ],
      logFile: path.join(dir, 'idle.log'),
      stopSignal: 'SIGTERM',
      listeners: [{ ...loopback(port), proof: { by: 'owner' } }],
      readyTimeoutMs: 1_000,
    } as const;
    return { spec, pid: () => Number(readFileSync(mark, 'utf8')) };
  };

  test('a port that another process has is refused before the server is started', async () => {
    const impostor = await occupy(loopback(await freePort()));
    const { spec, pid } = idle(impostor.address.port);
    await expect(startServer(spec)).rejects.toThrow(PortTaken);
    expect(pid()).toBe(0);
    await impostor.stop();
  });

  test('a server that runs without its port is stopped and reported', async () => {
    const { spec, pid } = idle(await freePort());
    await expect(startServer(spec)).rejects.toThrow('an idle server did not come up');
    expect(() => process.kill(pid(), 0)).toThrow('ESRCH');
  });

  test('onFreePort tries another port only when the port was taken, and at most five times', async () => {
    const ports = new Set<number>();
    const taken = onFreePort(async (port) => {
      ports.add(port);
      throw new PortTaken('taken');
    });
    await expect(taken).rejects.toThrow(PortTaken);
    expect(ports.size).toBe(5);
    const broken = jest.fn(async () => {
      throw new Error('broken');
    });
    await expect(onFreePort(broken)).rejects.toThrow('broken');
    expect(broken).toHaveBeenCalledTimes(1);
  });
});
