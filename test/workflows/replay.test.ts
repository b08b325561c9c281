import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type ReplayResult } from '@temporalio/worker';
import { LeanWorker } from '../../worker/changes/lean-worker';
import { installRuntime } from '../../worker/changes/temporal';
import { keptHistories } from '../support/histories';
import { server } from '../support/servers';

/**
 * A change may be under way while Lockstep is upgraded, so a new workflow must continue where the old one stopped.
 * Histories of every branch are kept in test/histories and replayed here. A replay compares the order of the steps, not
 * their arguments, which test/worker covers.
 */
const root = path.resolve(__dirname, '..', '..');

installRuntime();

const bundleOf = async (workflowsPath: string) => ({
  code: (await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') })).code,
});

async function replay(workflowBundle: { code: string } | { codePath: string }) {
  const results: ReplayResult[] = [];
  for await (const result of LeanWorker.runReplayHistories({ workflowBundle }, keptHistories()))
    results.push(result);
  return results;
}

test('test/histories holds at least twelve histories', () => {
  expect(keptHistories().length).toBeGreaterThanOrEqual(12);
});

test('the workflow replays every kept history without a deviation', async () => {
  const results = await replay({ codePath: server('workflows').bundle ?? '' });
  const broken = results.filter(({ error }) => error !== undefined);
  expect(broken.map(({ workflowId, error }) => `${workflowId}: ${error?.name}`)).toEqual([]);
});

describe('the replay fails for a workflow that cannot continue old changes', () => {
  test.each<[string, (text: string) => string]>([
    [
      'a workflow that never closes the change does not replay',
      (text) =>
        text.replace('inline.closeChange(changeId, stop)', 'Promise.resolve(null as never)'),
    ],
    [
      'a workflow that does not settle the mappings before it waits does not replay',
      (text) =>
        text.replace(
          '    await inline.settleMappings(changeId);\n  const ends',
          '    ;\n  const ends',
        ),
    ],
    [
      'a workflow that passes over a source before the auth account does not replay',
      (text) =>
        text.replace(
          'const plan = await',
          "await passOver(changeId, { lane: 'inline', sources: ['apps'] }, 1);\n  const plan = await",
        ),
    ],
    [
      'a workflow that skips a directory that goes last does not replay',
      (text) => text.replace('if (!authGoesLast || others', 'if (authGoesLast || others'),
    ],
    [
      'a workflow that ignores the cancel signal does not replay',
      (text) => text.replace('setHandler(cancelSignal, () => work.cancel());', ''),
    ],
    [
      'a workflow that does not wait for a source again does not replay',
      (text) => text.replace('pass.lookInMs && waits', 'false && waits'),
    ],
    [
      'a workflow that sets no search attributes at its end does not replay',
      (text) => text.replace('showEnd(closing);', ''),
    ],
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
  // A row whose text does not occur would test nothing.
  if (after === before)
    throw new Error('change-password.ts does not contain the replaced text: update this row');
  writeFileSync(file, after);
  return path.join(dir, 'workflows', 'index.ts');
}
