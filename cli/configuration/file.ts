import { readFileSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { NOT_A_NAME } from '../../model/configuration/names';
import { Failure, usage } from '../failure';
import type { Issue } from '../http/answers';

/** The content of `lockstep.yaml`, and the place of each entry in the file. */
export interface ConfigurationFile {
  readonly document: unknown;
  /** The place of the entry at this path, or of the nearest enclosing entry that exists. */
  place(path: Issue['path']): Place;
}

export interface Place {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
}

/** Reads and parses the file. @throws Failure that lists every YAML error with its place */
export function readConfigurationFile(file: string): ConfigurationFile {
  const lines = new LineCounter();
  const parsed = parseDocument(readText(file), {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const yamlErrors = yamlErrorsIn(parsed);
  if (yamlErrors.length > 0)
    throw issuesFailure(
      file,
      yamlErrors.map(({ offset, says }) => ({ place: placeOf(offset), path: [], says })),
    );
  return { document: toData(parsed, file), place: (path) => placeOf(offsetOf(parsed, path)) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usage(`${file} cannot be read (${code}). Name the configuration with -f.`);
  }
}

interface YamlError {
  readonly offset: number;
  readonly says: string;
}

function yamlErrorsIn(parsed: Document.Parsed): YamlError[] {
  const found = [...parsed.errors, ...parsed.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    says: message.replace(/; please use .*/, ''),
  }));
  visit(parsed, {
    Alias: (_key, alias) => {
      if (alias.resolve(parsed) === undefined)
        found.push({
          offset: alias.range?.[0] ?? 0,
          says: `there is no anchor &${alias.source} before this alias`,
        });
    },
    Pair: (_key, { key }) => {
      if (isScalar(key) && key.value === '__proto__')
        found.push({ offset: key.range?.[0] ?? 0, says: `__proto__ ${NOT_A_NAME}` });
    },
  });
  return found;
}

function toData(parsed: Document.Parsed, file: string): unknown {
  try {
    return JSON.parse(JSON.stringify(parsed.toJS()));
  } catch {
    throw usage(`${file} has an alias that refers to itself, or too many aliases. Remove it.`);
  }
}

function offsetOf(parsed: Document.Parsed, path: Issue['path']): number {
  let node: unknown = parsed.contents;
  let offset = parsed.contents?.range?.[0] ?? 0;
  for (const step of path) {
    const around = isAlias(node) ? node.resolve(parsed) : node;
    const entry = entryOf(around, step);
    if (entry === null) break;
    offset = entry.start.range?.[0] ?? offset;
    node = entry.value;
  }
  return offset;
}

/** The value under a key or at an index, and the node where the entry starts; null if there is no such entry. */
function entryOf(node: unknown, step: string | number) {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return isNode(pair?.key) ? { start: pair.key, value: pair.value } : null;
  }
  const item = isSeq(node) ? node.items[Number(step)] : undefined;
  return isNode(item) ? { start: item, value: item } : null;
}

export interface PlacedIssue extends Issue {
  readonly place: Place;
}

/**
 * A failure with one line per issue, such as `lockstep.yaml:12:7  sources.apps.kind: …`. Editors and terminals turn this form
 * into a link.
 */
export function issuesFailure(file: string, issues: readonly PlacedIssue[]): Failure {
  const count = issues.length === 1 ? '1 error' : `${issues.length} errors`;
  const sorted = [...issues].sort(
    (a, b) => a.place.line - b.place.line || a.place.column - b.place.column,
  );
  return new Failure(
    `${file} is not valid: ${count}. Nothing was changed. Correct the file and run this again.`,
    {
      exit: 'usage',
      lines: sorted.map(
        ({ place: { line, column }, path, says }) =>
          `${file}:${line}:${column}  ${path.length === 0 ? '' : `${path.join('.')}: `}${says}`,
      ),
      json: {
        valid: false,
        issues: sorted.map(({ place, path, says }) => ({ file, ...place, path, says })),
      },
    },
  );
}
