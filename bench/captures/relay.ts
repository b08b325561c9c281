import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Registration, setUpRelay } from '../../capture/setup';
import { inheritedEnvironment } from '../../config';
import { isRoot, NOBODY } from '../../local/places';
import { type RunningServer, startServer } from '../../local/processes';
import type { Call } from '../call';

/** Starts a relay as an operator does. The user that runs the servers may connect to `socket`. */
export async function startBenchRelay(
  call: Call,
  {
    apiUrl,
    dir,
    source,
    socket,
  }: { readonly [name in 'apiUrl' | 'dir' | 'source' | 'socket']: string },
): Promise<RunningServer> {
  const config = await setUpRelay({
    ...{ dir, url: apiUrl, source, caFile: null },
    register: async (publicKey) =>
      (await call('POST', 'relays', { source, publicKey })) as Registration,
  });
  const written = JSON.parse(readFileSync(config, 'utf8')) as object;
  writeFileSync(config, JSON.stringify({ ...written, socket, socketMode: '0660' }));
  const logFile = path.join(dir, 'relay.log');
  const relay = await startServer({
    name: `the relay of ${source}`,
    command: process.execPath,
    args: [path.resolve('dist/cli/main.js'), 'relay', 'run', '--config', config],
    env: inheritedEnvironment(),
    logFile,
    stopSignal: 'SIGTERM',
    listeners: [],
    // Without a sealing key the relay would refuse captures.
    ready: async () =>
      existsSync(path.join(dir, 'spool', 'key.json')) &&
      readFileSync(logFile, 'utf8').includes('the relay is up'),
  });
  if (isRoot) chownSync(socket, 0, NOBODY.gid);
  return relay;
}
