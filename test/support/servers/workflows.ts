import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { ServerStarter } from '../servers';

/** The workflows, bundled once for the run; no server is started. Fact: `bundle`. */
export const workflows: ServerStarter = {
  name: 'workflows',
  start: async (dir) => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: require.resolve('../../../workflows'),
      logger: new DefaultLogger('ERROR'),
    });
    mkdirSync(dir, { recursive: true });
    const bundle = path.join(dir, 'workflow-bundle.js');
    writeFileSync(bundle, code);
    return { facts: { bundle }, stop: async () => {} };
  },
};
