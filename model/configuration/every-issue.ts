import type { z } from 'zod';

type Path = readonly PropertyKey[];

export interface Inspected<Output> {
  readonly issues: readonly z.core.$ZodIssue[];
  /** What is valid of the value; null when too little of it is. */
  readonly valid: Output | null;
}

/** The rounds after which the search for further issues ends. Each round has removed at least one part of the value. */
const MAX_ROUNDS = 20;

/**
 * Finds every issue of a value. A schema does not check the relations between fields while one of the fields is wrong, so
 * the wrong parts are removed and the rest is checked again.
 * @param depth the length of the path of a part that is removed; when the value cannot be without the part, what contains
 *   the part is removed
 */
export function everyIssue<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  depth: number,
): Inspected<Output> {
  const issues: z.core.$ZodIssue[] = [];
  const removed: Path[] = [];
  let rest = value;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const parsed = schema.safeParse(rest);
    if (parsed.success) return { issues, valid: parsed.data };
    // An issue of a removed part is a consequence of its removal.
    const found = parsed.error.issues.filter(
      (issue) => !removed.some((path) => isWithin(path, issue.path)),
    );
    issues.push(...found);
    const parts = parsed.error.issues.flatMap((issue) =>
      pathsOf(issue).map((path) => partToRemove(path.slice(0, depth), removed)),
    );
    if (parts.some((path) => path.length === 0)) break;
    removed.push(...parts);
    rest = parts.reduce<unknown>(without, rest);
  }
  return { issues, valid: null };
}

/** Where an issue is: at the unknown fields themselves, or at its path. */
const pathsOf = (issue: z.core.$ZodIssue): Path[] =>
  issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];

/** The part, or what contains it when the part has been removed before and is required. */
function partToRemove(part: Path, removed: readonly Path[]): Path {
  const isRemoved = removed.some((path) => path.length === part.length && isWithin(path, part));
  return isRemoved ? partToRemove(part.slice(0, -1), removed) : part;
}

const isWithin = (outer: Path, inner: Path): boolean =>
  outer.every((step, index) => step === inner[index]);

/** The value without what is at the path. Nothing else is copied. */
function without(value: unknown, path: Path): unknown {
  const [step, ...further] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    if (key !== String(step)) return [[key, inner] as const];
    return further.length === 0 ? [] : [[key, without(inner, further)] as const];
  });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}
