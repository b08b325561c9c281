import type { Api, RequestOptions } from './api';

interface Wanted {
  readonly query: NonNullable<RequestOptions['query']>;
  /** True to read every page, not only the first. */
  readonly all: boolean | undefined;
}

/** Reads a paginated list. @returns its items, and the cursor of the next page or null at the end */
export async function readPages<Name extends string, Item>(
  api: Api,
  path: Name | readonly [...string[], Name],
  { query, all }: Wanted,
): Promise<{ items: Item[]; next: string | null }> {
  type Page = { readonly [Key in Name]: readonly Item[] } & { readonly next: string | null };
  const whole = typeof path === 'string' ? [path] : path;
  const name = whole.at(-1) as Name;
  const items: Item[] = [];
  let next: string | null = null;
  do {
    const page: Page = await api.get(whole, { query: { ...query, cursor: next ?? query.cursor } });
    items.push(...page[name]);
    next = page.next;
  } while (all && next !== null);
  return { items, next };
}
