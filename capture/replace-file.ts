import { open, rename } from 'node:fs/promises';

/**
 * Replaces a file atomically: after a crash it holds either the old or the new content. The new content is durable when the
 * promise resolves, and only the user of this process can read it.
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  const draft = await open(`${file}.draft`, 'w', 0o600);
  try {
    await draft.writeFile(content);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(`${file}.draft`, file);
}
