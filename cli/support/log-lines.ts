const MAX_LINES = 2_000;

/** Members of a log line that name an account. */
const names: readonly string[] = ['account'];

/**
 * The newest lines of a log. Only lines that Lockstep wrote are kept, because other text, such as the last words of a
 * crashed runtime, may contain anything.
 */
export function logLines(text: string, withNames: boolean): string {
  const lines = text
    .trimEnd()
    .split('\n')
    .slice(-MAX_LINES)
    .flatMap((line) => {
      const fields = parsed(line);
      if (fields === null) return [];
      const kept = Object.entries(fields).filter(([name]) => withNames || !names.includes(name));
      return [JSON.stringify(Object.fromEntries(kept))];
    });
  return lines.map((line) => `${line}\n`).join('');
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    const isLine =
      typeof value === 'object' && value !== null && 'level' in value && 'msg' in value;
    return isLine ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}
