import { Command } from 'commander';
import { examineApi, examineSource, prerequisites } from '../doctor';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { knownSources } from '../http/known-sources';
import type { Finding } from '../http/shapes';
import { action, type Session } from '../session';
import { findingLines } from '../text/finding-text';

export const doctorCommand = (): Command =>
  new Command('doctor')
    .summary('check that everything is right')
    .description(
      'Checks the api and, through a worker, each source: reached, certificate, rights of the service account, policy. ' +
        'It changes no password and locks no account.',
    )
    .argument('[source...]', 'only these sources')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep doctor', 'checks everything'],
          ['lockstep doctor corp-directory', 'checks the api and one source'],
        ],
        exits: {
          done: 'nothing is wrong, though there may be warnings (!)',
          failed: 'something is wrong (✖)',
        },
      }),
    )
    .action(action(doctor));

type Told = Finding & { readonly subject: string };

async function doctor({ output, api }: Session, named: readonly string[]): Promise<Exit> {
  const lockstep = await api();
  const told: Told[] = [];
  const tell = (subject: string, findings: readonly Finding[]) => {
    told.push(...findings.map((finding) => ({ subject, ...finding })));
    for (const line of findingLines(output, subject, findings)) output.line(line);
  };
  tell('api', await examineApi(lockstep));
  if (!told.some(({ check, verdict }) => verdict === 'wrong' && prerequisites.includes(check))) {
    const sources = await knownSources(lockstep, named);
    await Promise.all(
      sources.map(async ({ name, kind }) =>
        tell(`${name} (${kind})`, await examineSource(lockstep, name)),
      ),
    );
  }
  const wrong = told.filter(({ verdict }) => verdict === 'wrong').length;
  const warnings = told.filter(({ verdict }) => verdict === 'warning').length;
  output.show({ ok: wrong === 0, findings: told }, () => ['', verdictLine(wrong, warnings)]);
  return wrong === 0 ? 'done' : 'failed';
}

function verdictLine(wrong: number, warnings: number): string {
  const warned = warnings === 0 ? '' : warnings === 1 ? ', 1 warning' : `, ${warnings} warnings`;
  if (wrong === 0) return `Nothing is wrong${warned}.`;
  return `${wrong === 1 ? '1 thing is' : `${wrong} things are`} wrong${warned}.`;
}
