/** Tells `test.mjs` how many tests passed and failed. A suite that could not be read counts as a failed test. */
export default class TallyReporter {
  onRunStart() {
    // Should the launcher be killed, then jest and its workers, which are of its group, end too.
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
