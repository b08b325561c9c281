// The workflows as one file, bundled once at build time: a worker that bundles at its start needs 2 s longer.
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const dist = path.resolve(import.meta.dirname, '../dist');
const bundle = path.join(dist, 'workflow-bundle.js');

const { code } = await bundleWorkflowCode({
  workflowsPath: path.join(dist, 'workflows/index.js'),
  logger: new DefaultLogger('WARN'),
});
// In one step: a worker may be starting at this moment.
writeFileSync(`${bundle}.new`, code);
renameSync(`${bundle}.new`, bundle);
