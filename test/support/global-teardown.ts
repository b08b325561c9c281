import { rmSync } from 'node:fs';
import { run, started } from './global-setup';

export default async function globalTeardown(): Promise<void> {
  await Promise.all(started.map((server) => server.stop()));
  rmSync(run.dir, { recursive: true, force: true });
}
