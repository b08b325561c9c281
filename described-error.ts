/**
 * What the log shows of an error: its name, code and stack frames. The message is left out, because it may quote its
 * input; only the message of a `Misconfigured` is written for operators and shown. This file imports nothing, so that an
 * error of `config.ts` itself can be described.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    ...(error.name === 'Misconfigured' ? { says: error.message } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    at: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim()),
  };
}
