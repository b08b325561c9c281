import { open, rename } from 'node:fs/promises';

/** The new content or the old, whatever happens meanwhile, and durable when it resolves. Nobody else may read it. */
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
