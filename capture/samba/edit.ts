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

/** A change of a file that can be undone. */
export interface Edit {
  /** Copies the old file and writes the new text. @returns path of the copy */
  make(): string;
  /** Restores the old text and removes the copy. */
  undo(): void;
}

/** Prepares an edit. @returns null if the file already has the needed text */
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

/** Replaces a file atomically, and keeps its owner and its mode. */
function replace(file: string, content: Buffer): void {
  const { mode, uid, gid } = statSync(file);
  const next = `${file}.lockstep`;
  writeFileSync(next, content, { mode: 0o600 });
  chmodSync(next, mode);
  chownSync(next, uid, gid);
  renameSync(next, file);
}
