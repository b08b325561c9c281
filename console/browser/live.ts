/**
 * Keeps a page current. It loads the page again and puts the new part in place of the old one, so that the server writes
 * all texts. XMLHttpRequest parses the document, because Trusted Types forbid every other way to make elements of text.
 */

const POLL_MS = 5_000;
const RETRY_MOST_MS = 30_000;

const part = document.querySelector<HTMLElement>('#live');
function start(events: string): void {
  if (events !== '') follow(events, 1_000);
  else poll();
}

/** Follows server-sent events. After an answer other than 200 a browser gives up, so this connects again. */
function follow(address: string, waitMs: number): void {
  const source = new EventSource(address);
  source.addEventListener('change', () => void renew());
  source.addEventListener('end', () => {
    source.close();
    void renew();
  });
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => follow(address, Math.min(2 * waitMs, RETRY_MOST_MS)), waitMs);
    void renew();
  });
  addEventListener('pagehide', () => source.close());
}

/** Loads the page every few seconds, unless it is hidden, paused, or in use. */
function poll(): void {
  const pause = document.querySelector<HTMLInputElement>('#pause');
  setInterval(() => {
    const isUsed =
      part?.contains(document.activeElement) === true && isField(document.activeElement);
    if (!document.hidden && pause?.checked !== true && !isUsed) void renew();
  }, POLL_MS);
}

const isField = (element: Element | null): boolean =>
  element !== null && ['INPUT', 'SELECT', 'TEXTAREA'].includes(element.tagName);

let loading = false;
let again = false;

/** Replaces the live part. Calls while it loads lead to one more load. */
async function renew(): Promise<void> {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  const loaded = await load(location.href);
  if (loaded !== null) put(loaded);
  loading = false;
  if (!again) return;
  again = false;
  await renew();
}

/** Replaces the live part. The verdict keeps its element, or a screen reader would not announce its new text. */
function put(loaded: Document): void {
  const fresh = loaded.querySelector<HTMLElement>('#live');
  if (fresh === null || part === null) return;
  const verdict = document.querySelector('#verdict');
  const freshVerdict = loaded.querySelector('#verdict');
  if (verdict !== null && freshVerdict !== null) {
    if (verdict.textContent !== freshVerdict.textContent)
      verdict.textContent = freshVerdict.textContent;
    verdict.className = freshVerdict.className;
  }
  const focused = document.activeElement?.id ?? '';
  const isOpen = part.querySelector('details[open]') !== null;
  part.replaceChildren(...[...fresh.children].map((child) => document.adoptNode(child)));
  if (isOpen) part.querySelector('details')?.setAttribute('open', '');
  if (focused !== '') document.getElementById(focused)?.focus();
}

/** The document at an address; null if it cannot be loaded. */
const load = (address: string): Promise<Document | null> =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', address);
    request.responseType = 'document';
    request.setRequestHeader('x-lockstep-live', '1');
    request.onload = () => resolve(request.status === 200 ? request.responseXML : null);
    request.onerror = () => resolve(null);
    request.send();
  });

if (part !== null) start(part.dataset.events ?? '');
