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
import { Failure, usage } from '../failure';
import type { Issue } from '../http/shapes';

/** `lockstep.yaml` as data, and where each part of it stands. */
export interface ConfigurationFile {
  readonly document: unknown;
  /** Of the entry that the path leads to, or of the nearest one around it. */
  place(path: Issue['path']): Place;
}

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** @throws Failure with every place where the file is not YAML */
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
  const mistakes = mistakesIn(parsed);
  if (mistakes.length > 0)
    throw issuesFailure(
      file,
      mistakes.map(({ offset, says }) => ({ place: placeOf(offset), path: [], says })),
    );
  return { document: toData(parsed, file), place: (path) => placeOf(offsetOf(parsed, path)) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usage(`${file} cannot be read (${code}). Name another file with -f.`);
  }
}

interface Mistake {
  readonly offset: number;
  readonly says: string;
}

function mistakesIn(parsed: Document.Parsed): Mistake[] {
  const mistakes = [...parsed.errors, ...parsed.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    says: message.replace(/; please use .*/, ''),
  }));
  visit(parsed, {
    Alias: (_key, alias) => {
      if (alias.resolve(parsed) === undefined)
        mistakes.push({
          offset: alias.range?.[0] ?? 0,
          says: `there is no &${alias.source} before it`,
        });
    },
  });
  return mistakes;
}

function toData(parsed: Document.Parsed, file: string): unknown {
  try {
    return JSON.parse(JSON.stringify(parsed.toJS()));
  } catch {
    throw usage(`${file} has an alias that leads to itself, or far too many aliases.`);
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

/** What stands under a key or at an index, and the node that it begins with. */
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

/** Each as `lockstep.yaml:12:7  sources.apps.kind: …`, which editors and terminals lead you to. */
export function issuesFailure(file: string, issues: readonly PlacedIssue[]): Failure {
  const count = issues.length === 1 ? '1 mistake' : `${issues.length} mistakes`;
  const sorted = [...issues].sort(
    (one, other) => one.place.line - other.place.line || one.place.column - other.place.column,
  );
  return new Failure(`${file} is not valid: ${count}. Nothing was changed.`, {
    exit: 'usage',
    lines: sorted.map(
      ({ place: { line, column }, path, says }) =>
        `${file}:${line}:${column}  ${path.length === 0 ? '' : `${path.join('.')}: `}${says}`,
    ),
    json: {
      valid: false,
      issues: sorted.map(({ place, path, says }) => ({ file, ...place, path, says })),
    },
  });
}
