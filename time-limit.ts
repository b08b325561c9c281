/**
 * A signal that aborts after `timeoutMs`, or when one of `signals` aborts. `AbortSignal.any` alone does not suffice: in
 * Node 20 the garbage collector drops a timeout that only the combined signal refers to, and the timeout then never fires.
 */
export function timeLimit(timeoutMs: number, ...signals: readonly AbortSignal[]): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  // Node keeps a timeout that has a listener.
  timeout.addEventListener('abort', () => {}, { once: true });
  return AbortSignal.any([timeout, ...signals]);
}
