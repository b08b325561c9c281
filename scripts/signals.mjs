const WATCH_MS = 250;
const REPEATED_WITHIN_MS = 500;

/** npm hands SIGINT and SIGTERM on to us, but killed outright it cannot: then we end as on SIGTERM, and leave no orphan. */
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
 * One Ctrl-C becomes two signals: the terminal signals the whole group, and npm hands its own on. What runs in this
 * process shall see one, and may take a second for a second.
 */
export function mergeRepeatedSignals() {
  const emit = process.emit;
  const seenAt = { SIGINT: -Infinity, SIGTERM: -Infinity };
  process.emit = (event, ...rest) => {
    if (Object.hasOwn(seenAt, event)) {
      const repeated = performance.now() - seenAt[event] < REPEATED_WITHIN_MS;
      seenAt[event] = performance.now();
      if (repeated) return true;
    }
    return emit.call(process, event, ...rest);
  };
}
