import {
  chmodSync,
  chownSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';

/** A change of a file that can be taken back. */
export interface Edit {
  /** @returns where the text is that was there */
  make(): string;
  undo(): void;
}

/** @returns null when it says that already */
export function editOf(file: string, needed: string): Edit | null {
  const before = readFileSync(file);
  if (before.toString('utf8') === needed) return null;
  const copy = `${file}.${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
  return {
    make() {
      copyFileSync(file, copy);
      replace(file, Buffer.from(needed));
      return copy;
    },
    undo() {
      replace(file, before);
      rmSync(copy);
    },
  };
}

/** At once or not at all, with the owner and the rights that it had. */
function replace(file: string, content: Buffer): void {
  const { mode, uid, gid } = statSync(file);
  const next = `${file}.lockstep`;
  writeFileSync(next, content, { mode: 0o600 });
  chmodSync(next, mode);
  chownSync(next, uid, gid);
  renameSync(next, file);
}
