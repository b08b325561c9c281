import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { searchAttributes, startTemporal, type Temporal } from '../../local/temporal';
import { server } from './servers';

/** Starts a Temporal server for one test file, so that queues and workflows of other tests do not interfere. */
export const startEngine = (): Promise<Temporal> =>
  startTemporal({
    dir: mkdtempSync(path.join(os.tmpdir(), 'lockstep-engine-')),
    binary: server('temporal').cliPath ?? '',
    namespace: 'lockstep',
    searchAttributes,
    headless: true,
    inMemory: true,
  });
