/** A page; `lost` while the server cannot be reached, and `ended` if it does not show the page to this browser any more. */
export type Loaded = Document | 'lost' | 'ended';

/** A server that has not answered by then counts as unreachable. */
const TIMEOUT_MS = 20_000;

/**
 * Loads a page again. XMLHttpRequest parses the document, because Trusted Types forbid every other way to make elements
 * of text.
 */
export const load = (address: string): Promise<Loaded> =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', address);
    request.responseType = 'document';
    request.timeout = TIMEOUT_MS;
    request.setRequestHeader('x-lockstep-live', '1');
    request.onload = () => resolve(answered(request, address));
    request.onerror = () => resolve('lost');
    request.ontimeout = () => resolve('lost');
    request.send();
  });

/** Without a session the server leads to the sign-in, which is another page. */
function answered({ status, responseURL, responseXML }: XMLHttpRequest, address: string): Loaded {
  if (status === 429 || status >= 500) return 'lost';
  const isSame = new URL(responseURL).pathname === new URL(address).pathname;
  return status === 200 && isSame && responseXML !== null ? responseXML : 'ended';
}
