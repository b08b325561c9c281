import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRoot, NOBODY } from '../../local/places';

/** A file system of a few megabytes, which a test can fill. */
export interface SmallDisk {
  readonly dir: string;
  /** Writes until no byte fits. */
  fill(): void;
  /** Removes what `fill` has written. */
  makeRoom(): void;
  remove(): void;
}

/** Why this machine can mount no small disk; null when it can. */
export const noSmallDisk = ((): string | null => {
  if (!isRoot) return 'only root may mount a small disk';
  try {
    mountSmallDisk(1).remove();
    return null;
  } catch {
    return 'this container may not mount a small disk';
  }
})();

/** Mounts a tmpfs, in which the user nobody may write. */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-small-'));
  const options = `size=${megabytes}m,uid=${NOBODY.uid},gid=${NOBODY.gid}`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'lockstep-test', dir], { stdio: 'ignore' });
  chmodSync(dir, 0o755);
  const filler = path.join(dir, 'filler');
  return {
    dir,
    fill() {
      const descriptor = openSync(filler, 'a');
      const block = Buffer.alloc(1024);
      try {
        for (;;) writeSync(descriptor, block);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(descriptor);
      }
    },
    makeRoom: () => rmSync(filler),
    remove() {
      execFileSync('umount', [dir]);
      rmSync(dir, { recursive: true });
    },
  };
}
