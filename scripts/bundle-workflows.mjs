// Bundles the workflows into one file at build time. A worker that bundles them itself starts 2 s later.
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const dist = path.resolve(import.meta.dirname, '../dist');
const bundle = path.join(dist, 'workflow-bundle.js');

const { code } = await bundleWorkflowCode({
  workflowsPath: path.join(dist, 'workflows/index.js'),
  logger: new DefaultLogger('WARN'),
});
// Replaced in one step, because a worker may be reading the file at this moment.
writeFileSync(`${bundle}.new`, code);
renameSync(`${bundle}.new`, bundle);
