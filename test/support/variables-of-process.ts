import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { environmentSchema } from '../../config';

const root = path.resolve(__dirname, '../..');

/**
 * The variables that a process reads, as its code names them: in every file that its main program loads, outside of
 * comments and of sentences.
 */
export function variablesOf(kind: 'api' | 'worker' | 'lookup'): string[] {
  const code = loadedBy(path.join(root, kind, 'main.ts'))
    .filter((file) => file !== path.join(root, 'config.ts'))
    .map((file) => withoutTexts(readFileSync(file, 'utf8')))
    .join('\n');
  const words = new Set(code.match(/\b[A-Z][A-Z0-9_]+\b/g));
  return Object.keys(environmentSchema.shape).filter((name) => words.has(name));
}

function loadedBy(main: string): string[] {
  const files = new Set([main]);
  // A set also visits what is added to it during the loop.
  for (const file of files) {
    const imports = readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?!type )[^;]*?'(\.[^']+)';/gms,
    );
    for (const [, to = ''] of imports) {
      const base = path.resolve(path.dirname(file), to);
      const found = [`${base}.ts`, path.join(base, 'index.ts')].find(existsSync);
      if (found !== undefined) files.add(found);
    }
  }
  return [...files];
}

/** Without comments, and without texts but the variable that `required` reads. What a template inserts is code. */
const withoutTexts = (code: string): string =>
  code
    .replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, '')
    .replaceAll(/\brequired\('(\w+)'\)/g, '$1')
    .replaceAll(/'[^'\n]*'/g, "''")
    .replaceAll(/`[^`]*`/g, (text) => (text.match(/\$\{[^}]*\}/g) ?? []).join(' '));
