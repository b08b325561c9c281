import { Command } from 'commander';
import type { Finding } from '../../model/api/job-results';
import { examineApi, examineNotices, examineSource, prerequisites } from '../doctor';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { knownSources } from '../http/known-sources';
import { action, type Session } from '../session';
import { findingLines } from '../text/finding-text';

export const doctorCommand = (): Command =>
  new Command('doctor')
    .summary('check the API, the worker and every source')
    .description(
      'Checks the API and, through a worker, each source: connection, certificate, rights of the service account, password ' +
        'policy. It changes no password and locks no account.',
    )
    .argument('[source...]', 'names of sources to check; default: all')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep doctor', 'checks everything'],
          ['lockstep doctor corp-directory', 'checks the API and one source'],
        ],
        exits: {
          done: 'no check failed; there may be warnings (!)',
          failed: 'at least one check failed (✖)',
        },
      }),
    )
    .action(action(doctor));

type SubjectFinding = Finding & { readonly subject: string };

async function doctor({ output, api }: Session, named: readonly string[]): Promise<Exit> {
  const lockstep = await api();
  const reported: SubjectFinding[] = [];
  const report = (subject: string, findings: readonly Finding[]) => {
    reported.push(...findings.map((finding) => ({ subject, ...finding })));
    for (const line of findingLines(output, subject, findings)) output.line(line);
  };
  report('api', await examineApi(lockstep));
  if (
    !reported.some(({ check, verdict }) => verdict === 'wrong' && prerequisites.includes(check))
  ) {
    const channels = named.length === 0 ? await examineNotices(lockstep) : [];
    if (channels.length > 0) report('notices', channels);
    const sources = await knownSources(lockstep, named);
    await Promise.all(
      sources.map(async ({ name, kind }) =>
        report(`${name} (${kind})`, await examineSource(lockstep, name)),
      ),
    );
  }
  const wrong = reported.filter(({ verdict }) => verdict === 'wrong').length;
  const warnings = reported.filter(({ verdict }) => verdict === 'warning').length;
  output.show({ ok: wrong === 0, findings: reported }, () => ['', verdictLine(wrong, warnings)]);
  return wrong === 0 ? 'done' : 'failed';
}

function verdictLine(wrong: number, warnings: number): string {
  const warned = warnings === 0 ? '' : warnings === 1 ? ', 1 warning' : `, ${warnings} warnings`;
  if (wrong === 0) return `No check failed${warned}.`;
  return `${wrong === 1 ? '1 check' : `${wrong} checks`} failed${warned}. Correct what is marked ✖ and run this again.`;
}
