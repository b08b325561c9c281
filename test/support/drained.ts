import type { Page, Poller } from '../../capture/polling/poller';

/** The captures of a page, with their passwords as text. */
export const textsOf = (page: Page) =>
  page.captures.map(({ account, password, hashed, capturedAt, sequence }) => ({
    account,
    word: password.text(),
    hashed,
    at: capturedAt?.getTime() ?? 0,
    sequence,
  }));

/** Reads and acknowledges all pages, and returns their captures. */
export async function drained(poller: Poller) {
  const found: ReturnType<typeof textsOf> = [];
  for (let more = true; more; ) {
    const page = await poller.read();
    found.push(...textsOf(page));
    await poller.acknowledge(page);
    more = page.more;
  }
  return found;
}
