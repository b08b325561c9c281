import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openCheckpoint } from '../../capture/polling/checkpoint';
import { pollerKinds } from '../../capture/polling/kinds';
import type { Poller } from '../../capture/polling/poller';
import { Secret } from '../../model/passwords/secret';
import { drained } from './drained';
import { uniqueName } from './people';

interface PollerBench {
  /** Settings of the poller, read when a poller is opened. */
  readonly settings: () => object;
  /** The secret for each reference in the settings, read when it is resolved. */
  readonly secrets: () => Readonly<Record<string, string | undefined>>;
}

/** For a test suite: opens pollers of one kind, each with a checkpoint in a file, and closes them after all tests. */
export function pollerBench(kindName: string, { settings, secrets }: PollerBench) {
  const checkpoints = mkdtempSync(path.join(os.tmpdir(), 'ls-checkpoint-'));
  const opened: Poller[] = [];
  afterAll(async () => {
    for (const poller of opened) await poller.close();
    rmSync(checkpoints, { recursive: true });
  });

  /** @param file checkpoint of a poller that was stopped or killed */
  async function open(changes: object = {}, file = path.join(checkpoints, uniqueName())) {
    const kind = pollerKinds.get(kindName);
    if (kind === undefined) throw new Error(`There is no poller of kind ${kindName}`);
    const poller = await kind.open(
      { ...settings(), ...changes },
      {
        resolve: (reference) => Secret.fromText(secrets()[reference] ?? ''),
        checkpoint: await openCheckpoint(file),
        wake: () => {},
      },
    );
    opened.push(poller);
    return { poller, file };
  }
  /** Opens a poller and reads everything that exists. */
  async function watching(changes: object = {}) {
    const watched = await open(changes);
    await drained(watched.poller);
    return watched;
  }
  return { open, watching };
}
