import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { searchAttributes, startTemporal, type Temporal } from '../../local/temporal';
import { server } from './servers';

/** A Temporal server of its own, for a test file: queues and workflows of others are not in its way. */
export const startEngine = (): Promise<Temporal> =>
  startTemporal({
    dir: mkdtempSync(path.join(os.tmpdir(), 'lockstep-engine-')),
    binary: server('temporal').cliPath ?? '',
    namespace: 'lockstep',
    searchAttributes,
    headless: true,
    inMemory: true,
  });
