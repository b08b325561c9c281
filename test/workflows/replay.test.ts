import { readFileSync } from 'node:fs';
import type { ReplayResult } from '@temporalio/worker';
import { LeanWorker } from '../../worker/changes/lean-worker';
import { installRuntime } from '../../worker/changes/temporal';
import { keptHistories } from '../support/histories';
import { server } from '../support/servers';

/**
 * A change may be under way while Lockstep is upgraded, so a new workflow must continue where the old one stopped.
 * Histories of every branch are kept in test/histories and replayed here. A replay compares the order of the steps, not
 * their arguments, which test/worker covers.
 */
installRuntime();

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
  // Each row changes the bundle, because bundling the changed sources takes seconds. The bundler puts the name of a module
  // before each import.
  test.each<[title: string, find: string | RegExp, becomes: string]>([
    [
      'a workflow that never closes the change does not replay',
      /[\w.]+\.closeChange\(changeId, stop\)/,
      'Promise.resolve(null)',
    ],
    [
      'a workflow that does not settle the mappings before it waits does not replay',
      /await [\w.]+\.settleMappings\(changeId\);(\s+const ends)/,
      ';$1',
    ],
    [
      'a workflow that passes over a source before the auth account does not replay',
      /(const plan = await[\s\S]*?)(\(0,[\w.]+\.passOver\))/,
      "await $2(changeId, { lane: 'inline', sources: ['apps'] }, 1);\n$1$2",
    ],
    [
      'a workflow that skips a directory that goes last does not replay',
      'if (!authGoesLast || others',
      'if (authGoesLast || others',
    ],
    [
      'a workflow that ignores the cancel signal does not replay',
      /\(0,[\w.]+\.setHandler\)\(cancelSignal, ?\(\) ?=> ?work\.cancel\(\)\);/,
      '',
    ],
    [
      'a workflow that does not wait for a source again does not replay',
      'pass.lookInMs && waits',
      'false && waits',
    ],
    [
      'a workflow that sets no search attributes at its end does not replay',
      /\(0,[\w.]+\.showEnd\)\(closing\);/,
      '',
    ],
  ])('%s', async (_title, find, becomes) => {
    const bundle = readFileSync(server('workflows').bundle ?? '', 'utf8');
    const changed = bundle.replace(find, becomes);
    // A row whose text does not occur would test nothing.
    if (changed === bundle)
      throw new Error('The bundle does not contain the replaced text: update this row');
    const results = await replay({ code: changed });
    const broken = results.filter(({ error }) => error !== undefined);
    expect(broken.length).toBeGreaterThan(0);
    for (const { error } of broken)
      expect(error?.name).toMatch(/DeterminismViolationError|ReplayError/);
  });
});
