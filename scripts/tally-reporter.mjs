/** Sends the numbers of passed, failed and skipped tests to `test.mjs`. A suite that cannot be loaded counts as a failed test. */
export default class TallyReporter {
  onRunStart() {
    // If the launcher is killed, jest and its workers, which share a process group, end too.
    process.once('disconnect', () => process.kill(-process.pid, 'SIGTERM'));
    process.channel.unref();
  }

  onRunComplete(_contexts, results) {
    process.send({
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    });
  }
}
