import { type Loaded, load } from './load';
import { put } from './put';

/**
 * Keeps a page current. It loads the page again and puts the new part in place of the old one, so that the server writes
 * all texts. A browser gives all its tabs together six connections to one address, so only one visible tab follows events;
 * the others load themselves at intervals.
 */

const POLL_MS = 5_000;
const RETRY_MOST_MS = 30_000;
const STREAM_LOCK = 'lockstep-live';

const part = document.querySelector<HTMLElement>('#live[data-live]');
const events = part?.dataset.events ?? '';
const stopped = new AbortController();
/** True while events arrive, so that this tab need not ask. */
let following = false;
/** True after an update that could not be shown. */
let missed = false;

function start(): void {
  const timer = setInterval(() => {
    if (!document.hidden && (missed || !following) && mayChange()) void renew();
  }, POLL_MS);
  let turn = new AbortController();
  const takeNextTurn = () => {
    turn.abort();
    if (document.hidden || stopped.signal.aborted) return;
    turn = new AbortController();
    if (events !== '') void takeTurn(turn.signal);
  };
  stopped.signal.addEventListener('abort', () => {
    clearInterval(timer);
    turn.abort();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && mayChange()) void renew();
    takeNextTurn();
  });
  addEventListener('pagehide', () => turn.abort());
  takeNextTurn();
}

/** Follows the events from when no other tab does, until this tab is hidden or the page has ended. */
async function takeTurn(ended: AbortSignal): Promise<void> {
  // Locks exist on https and on localhost only. Elsewhere the tabs load themselves.
  if (!('locks' in navigator)) return;
  await navigator.locks
    .request(STREAM_LOCK, { signal: ended }, () => follow(ended, 1_000))
    .catch(() => {});
}

/** Follows server-sent events. After an answer other than 200 a browser gives up, so this connects again. */
function follow(ended: AbortSignal, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (ended.aborted) return resolve();
    const source = new EventSource(events);
    const close = () => {
      source.close();
      following = false;
      resolve();
    };
    ended.addEventListener('abort', close, { once: true });
    source.addEventListener('open', () => {
      following = true;
    });
    source.addEventListener('change', () => void renew());
    source.addEventListener('end', () => void renew().then(close));
    source.addEventListener('error', () => {
      following = false;
      void renew();
      if (source.readyState !== EventSource.CLOSED) return;
      const next = Math.min(2 * waitMs, RETRY_MOST_MS);
      setTimeout(() => void follow(ended, next).then(resolve), waitMs);
    });
  });
}

/** False while the user has paused the page, fills in a field, or has selected text to copy. */
function mayChange(): boolean {
  const { activeElement } = document;
  const fills = activeElement !== null && /^(INPUT|SELECT|TEXTAREA)$/.test(activeElement.tagName);
  const selection = document.getSelection();
  const copies = selection?.isCollapsed === false && part?.contains(selection.anchorNode) === true;
  const pause = document.querySelector<HTMLInputElement>('#pause');
  return pause?.checked !== true && !copies && !(fills && part?.contains(activeElement) === true);
}

let loading = false;
let again = false;

/** Replaces the live part. Calls while it loads lead to one more load. */
async function renew(): Promise<void> {
  if (stopped.signal.aborted || part === null) return;
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  show(await load(location.href), part);
  loading = false;
  if (!again) return;
  again = false;
  await renew();
}

/** Shows what was loaded. A page without a session is not live any more, and the user sees that. */
function show(loaded: Loaded, old: HTMLElement): void {
  reveal('#lost', loaded === 'lost');
  reveal('#ended', loaded === 'ended');
  if (loaded === 'ended') end();
  missed = typeof loaded === 'object' && !mayChange();
  if (typeof loaded !== 'object' || missed) return;
  const fresh = put(loaded, old);
  if (fresh?.dataset.live === undefined) stopped.abort();
}

/** The sign-in leads back to this page. */
function end(): void {
  stopped.abort();
  const link = document.querySelector<HTMLAnchorElement>('#ended a');
  const to = `${location.pathname}${location.search}`;
  if (link !== null) link.search = new URLSearchParams({ to }).toString();
}

function reveal(id: string, isShown: boolean): void {
  const element = document.querySelector<HTMLElement>(id);
  if (element !== null) element.hidden = !isShown;
}

if (part !== null) start();
