import { rules } from '../dist/scripts/semantics.js';

const sign = { passed: '✔', failed: '✘', pending: '-' };

/** Prints a line for each rule of docs/semantics.md: its sentence, and whether the tests that check it passed. */
export default class ConformanceReporter {
  onRunComplete(_contexts, { testResults }) {
    const tests = testResults.flatMap(({ testResults }) => testResults);
    console.log();
    for (const [rule, { says, missing }] of Object.entries(rules)) {
      const checks = tests.filter(({ title }) => rulesIn(title).includes(rule));
      const failed = checks.filter(({ status }) => status === 'failed');
      const ran = checks.filter(({ status }) => status === 'passed').length;
      const verdict = failed.length > 0 ? 'failed' : ran > 0 ? 'passed' : 'pending';
      console.log(`${sign[verdict]} ${rule.padStart(2)}  ${says}`);
      for (const { fullName } of failed) console.log(`      broken: ${fullName}`);
      if (missing !== undefined) console.log(`      not implemented: ${missing}`);
      else if (verdict === 'pending') console.log('      its tests did not run on this machine');
    }
    console.log();
  }
}

const rulesIn = (title) => /\[rule ([\d, ]+)\]$/.exec(title)?.[1].split(', ') ?? [];
