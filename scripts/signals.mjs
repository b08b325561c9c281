const WATCH_MS = 250;
const REPEATED_WITHIN_MS = 500;

/** Ends this process as SIGTERM does when its npm is killed. npm forwards SIGINT and SIGTERM, but it cannot forward SIGKILL. */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, WATCH_MS);
  watch.unref();
}

/**
 * Merges the two signals of one Ctrl-C: the terminal signals the whole process group, and npm forwards its own. Code in this
 * process sees a repeated signal only if it comes later, as a second Ctrl-C does.
 */
export function mergeRepeatedSignals() {
  const emit = process.emit;
  const emittedAt = { SIGINT: -Infinity, SIGTERM: -Infinity };
  process.emit = (event, ...rest) => {
    if (Object.hasOwn(emittedAt, event)) {
      const repeated = performance.now() - emittedAt[event] < REPEATED_WITHIN_MS;
      emittedAt[event] = performance.now();
      if (repeated) return true;
    }
    return emit.call(process, event, ...rest);
  };
}
