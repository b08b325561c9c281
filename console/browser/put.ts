/**
 * Puts the live part of a page that was loaded again in place of the old one. Children that are equal stay, so that a
 * screen reader and the user notice only what has changed. The verdict keeps its element, or a screen reader would not
 * announce its new text.
 * @returns the live part of the loaded page; null if it has none
 */
export function put(loaded: Document, part: HTMLElement): HTMLElement | null {
  const fresh = loaded.querySelector<HTMLElement>('#live');
  if (fresh === null) return null;
  putVerdict(loaded);
  const isFocused = part.contains(document.activeElement);
  const focused = isFocused ? keyOf(document.activeElement) : '';
  const open = new Set([...part.querySelectorAll('details[open]')].map(({ id }) => id));
  for (const details of fresh.querySelectorAll('details'))
    if (open.has(details.id)) details.open = true;
  replaceChildren(part, [...fresh.children]);
  if (isFocused && !part.contains(document.activeElement)) focusAgain(part, focused);
  return fresh;
}

function putVerdict(loaded: Document): void {
  const verdict = document.querySelector('#verdict');
  const fresh = loaded.querySelector('#verdict');
  if (verdict === null || fresh === null) return;
  if (verdict.textContent !== fresh.textContent) verdict.textContent = fresh.textContent;
  verdict.className = fresh.className;
}

function replaceChildren(part: HTMLElement, fresh: readonly Element[]): void {
  const old = [...part.children];
  const kept = fresh.map((child, index) => {
    const before = old[index];
    return before?.outerHTML === child.outerHTML ? before : document.adoptNode(child);
  });
  for (const [index, child] of kept.entries()) {
    const before = old[index];
    if (before === undefined) part.append(child);
    else if (before !== child) before.replaceWith(child);
  }
  for (const extra of old.slice(kept.length)) extra.remove();
}

/** What tells a link or button from the others of the part, also after its text has changed. */
function keyOf(element: Element | null): string {
  if (element === null) return '';
  const form = element.closest('form');
  const fields = [...(form?.querySelectorAll<HTMLInputElement>('input[type=hidden]') ?? [])];
  return [
    element.tagName,
    element.id,
    element.getAttribute('href') ?? form?.getAttribute('action') ?? '',
    element.closest('details')?.id ?? '',
    ...fields.map(({ value }) => value),
  ].join('\n');
}

/** Keyboard users stay where they were. If that is gone, the focus goes to the part itself, not to the top of the page. */
function focusAgain(part: HTMLElement, key: string): void {
  const candidates = [...part.querySelectorAll<HTMLElement>('a,button,summary,input,select')];
  const same = candidates.find((candidate) => keyOf(candidate) === key);
  if (same === undefined) part.tabIndex = -1;
  (same ?? part).focus({ preventScroll: true });
}
