import { rules } from '../dist/scripts/semantics.js';

const sign = { passed: '✔', failed: '✘', pending: '-' };

/** One line a rule: its sentence, and what became of the tests that keep it. */
export default class ConformanceReporter {
  onRunComplete(_contexts, { testResults }) {
    const tests = testResults.flatMap(({ testResults }) => testResults);
    console.log();
    for (const [rule, { says, missing }] of Object.entries(rules)) {
      const keepers = tests.filter(({ title }) => rulesIn(title).includes(rule));
      const failed = keepers.filter(({ status }) => status === 'failed');
      const ran = keepers.filter(({ status }) => status === 'passed').length;
      const verdict = failed.length > 0 ? 'failed' : ran > 0 ? 'passed' : 'pending';
      console.log(`${sign[verdict]} ${rule.padStart(2)}  ${says}`);
      for (const { fullName } of failed) console.log(`      broken: ${fullName}`);
      if (missing !== undefined) console.log(`      not yet: ${missing}`);
      else if (verdict === 'pending') console.log('      its tests did not run here');
    }
    console.log();
  }
}

const rulesIn = (title) => /\[rule ([\d, ]+)\]$/.exec(title)?.[1].split(', ') ?? [];
