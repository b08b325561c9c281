import { Command } from 'commander';
import { errors } from '../../model/errors';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import type { Connectors } from '../http/answers';
import { isRefused, runCandidateCheck } from '../http/jobs';
import { ApiProblem } from '../http/refusals';
import { action, type Session } from '../session';
import { kindLines, kindsLines, previewLines } from '../text/connect-text';
import { findingLines } from '../text/finding-text';

/** The commands for a source before it is in the applied configuration. */

export const kindsCommand = (): Command =>
  new Command('kinds')
    .summary('list the kinds of sources, or the settings of one')
    .description('Lists the kinds of sources. With a name, lists the settings of that kind.')
    .argument('[kind]', 'name of the kind')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep sources kinds', 'lists what Lockstep can connect'],
          ['lockstep sources kinds ldap', 'lists the settings of an LDAP directory'],
        ],
      }),
    )
    .action(action(kinds));

async function kinds({ output, api }: Session, wanted: string | undefined): Promise<Exit> {
  const connectors = await (await api()).get<Connectors>(['connectors']);
  if (wanted === undefined) {
    output.show(connectors, () => kindsLines(output, connectors));
    return 'done';
  }
  const kind = connectors.kinds.find((one) => one.kind === wanted);
  if (kind === undefined) {
    const known = connectors.kinds.map((one) => one.kind).join(', ');
    throw usage(`There is no kind "${wanted}". There are: ${known}.`);
  }
  output.show(kind, () => kindLines(output, kind));
  return 'done';
}

const CHECK_WAIT_SECONDS = 60;

export const tryCommand = (): Command =>
  new Command('try')
    .summary('check a source of a file before it is applied')
    .description(
      'Has a worker sign in to a source with the settings of a configuration file, and shows its first accounts. Neither the applied configuration nor the source is changed.',
    )
    .argument('<source>', 'name of the source in the file')
    .option('-f, --file <file>', 'path of the configuration', 'lockstep.yaml')
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep sources try wiki', 'checks the source wiki of lockstep.yaml']],
        exits: {
          done: 'no check failed; there may be warnings (!)',
          failed: 'at least one check failed (✖)',
          usage: 'the settings are not valid; every error is shown with its line and column',
        },
      }),
    )
    .action(action(tryOne));

/** Loaded on demand, because it loads the YAML parser. */
const files = () => require('../configuration/file') as typeof import('../configuration/file');

async function tryOne(
  { output, api }: Session,
  name: string,
  { file }: { readonly file: string },
): Promise<Exit> {
  const read = files().readConfigurationFile(file);
  const { kind, settings = {} } = sourceIn(read.document, name, file);
  const result = await runCandidateCheck(await api(), {
    body: { kind, settings },
    waitSeconds: CHECK_WAIT_SECONDS,
  }).catch((error: unknown) => {
    if (!(error instanceof ApiProblem) || error.problem.code !== 'configuration_invalid')
      throw error;
    const { issues = [] } = error.problem;
    throw files().issuesFailure(
      file,
      issues.map((issue) => ({ ...issue, place: read.place(['sources', name, ...issue.path]) })),
    );
  });
  if (result === null)
    throw new Failure(
      `No worker finished the check within ${CHECK_WAIT_SECONDS} s. Start a worker, or read the log of the one that is running.`,
    );
  if (isRefused(result)) throw new Failure(errors[result.code].says);
  output.show(result, () => [
    ...findingLines(output, `${name} (${kind})`, result.findings),
    ...previewLines(output, result),
  ]);
  return result.findings.some(({ verdict }) => verdict === 'wrong') ? 'failed' : 'done';
}

interface WrittenSource {
  readonly kind: string;
  readonly settings?: unknown;
}

function sourceIn(document: unknown, name: string, file: string): WrittenSource {
  const sources = (document as { readonly sources?: unknown } | null)?.sources;
  const found =
    typeof sources === 'object' && sources !== null && Object.hasOwn(sources, name)
      ? (sources as Readonly<Record<string, unknown>>)[name]
      : undefined;
  if (typeof found !== 'object' || found === null || !('kind' in found))
    throw usage(`There is no source "${name}" with a kind in ${file}.`);
  return found as WrittenSource;
}
