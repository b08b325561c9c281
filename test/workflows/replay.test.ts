import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type ReplayResult, Worker } from '@temporalio/worker';
import { installRuntime } from '../../worker/changes/temporal';
import { keptHistories } from '../support/histories';
import { server } from '../support/servers';

/**
 * A change may be under way while Lockstep is upgraded: the new workflow must go on where the old one was. Histories of
 * every branch are kept in test/histories and replayed. Replay sees the order of steps, not what was passed to them:
 * that is for test/worker.
 */
const root = path.resolve(__dirname, '..', '..');

installRuntime();

const bundleOf = async (workflowsPath: string) => ({
  code: (await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') })).code,
});

async function replay(workflowBundle: { code: string } | { codePath: string }) {
  const results: ReplayResult[] = [];
  for await (const result of Worker.runReplayHistories({ workflowBundle }, keptHistories()))
    results.push(result);
  return results;
}

test('histories of at least twelve branches are kept', () => {
  expect(keptHistories().length).toBeGreaterThanOrEqual(12);
});

test('every kept history goes on with the workflow as it is', async () => {
  const results = await replay({ codePath: server('workflows').bundle ?? '' });
  const broken = results.filter(({ error }) => error !== undefined);
  expect(broken.map(({ workflowId, error }) => `${workflowId}: ${error?.name}`)).toEqual([]);
});

describe('a workflow that was changed so that old changes cannot go on is found out', () => {
  test.each<[string, (text: string) => string]>([
    [
      'the close is left out',
      (text) =>
        text.replace('inline.closeChange(changeId, stop)', 'Promise.resolve(null as never)'),
    ],
    [
      'mappings are not settled before the wait',
      (text) => text.replace('await inline.settleMappings(changeId);\n  const late', 'const late'),
    ],
    [
      'the sources are asked before the auth account',
      (text) =>
        text.replace(
          'const { auth, authGoesLast,',
          "await passOverSource(changeId, { source: 'apps', lane: 'inline' }, 1);\n  const { auth, authGoesLast,",
        ),
    ],
    [
      'a directory that goes last is left out',
      (text) => text.replace('if (!authGoesLast || others', 'if (authGoesLast || others'),
    ],
    [
      'a cancelled change is not waited for',
      (text) => text.replace('setHandler(cancelSignal, () => work.cancel());', ''),
    ],
    ['nothing is told at the end', (text) => text.replace('tellTheEnd(closing);', '')],
  ])('%s', async (_title, change) => {
    const changed = copyOfWorkflows(change);
    const results = await replay(await bundleOf(changed));
    const broken = results.filter(({ error }) => error !== undefined);
    expect(broken.length).toBeGreaterThan(0);
    for (const { error } of broken)
      expect(error?.name).toMatch(/DeterminismViolationError|ReplayError/);
  });
});

function copyOfWorkflows(change: (text: string) => string): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-replay-'));
  for (const name of ['model', 'activities', 'node_modules'])
    symlinkSync(path.join(root, name), path.join(dir, name));
  cpSync(path.join(root, 'workflows'), path.join(dir, 'workflows'), { recursive: true });
  const file = path.join(dir, 'workflows', 'change-password.ts');
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  // A row that changes nothing would prove nothing.
  if (after === before) throw new Error('the workflow does not read like that any more');
  writeFileSync(file, after);
  return path.join(dir, 'workflows', 'index.ts');
}
