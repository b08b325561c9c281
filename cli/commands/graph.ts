import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

interface Options {
  readonly out?: string;
  readonly schema?: true;
  readonly svg?: string;
}

export const graphCommand = (): Command =>
  new Command('graph')
    .summary('export who can obtain which password, for BloodHound or as a picture')
    .description(
      'Writes who can obtain which password, as BloodHound OpenGraph or as a picture. The files contain no password but the name ' +
        'of every account: keep them confidential.',
    )
    .option(
      '--out <dir>',
      'folder for lockstep.json and lockstep-hybrid.json; upload them in this order',
    )
    .option(
      '--schema',
      'with --out: also write lockstep-schema.json; upload it first, once per BloodHound',
    )
    .option('--svg <file>', 'file for a picture of sources and groups')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep graph --out bloodhound --schema', 'writes everything that BloodHound needs'],
          ['lockstep graph --svg lockstep.svg', 'draws how passwords flow between sources'],
        ],
      }),
    )
    .action(action(graph));

interface Wanted {
  readonly file: string;
  /** Path segments below /v1/graph. */
  readonly from: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
}

async function graph({ output, api, interrupted }: Session, options: Options): Promise<Exit> {
  const wanted = filesOf(options);
  if (wanted.length === 0)
    throw usage('Name what to write with --out <dir>, --svg <file> or both.');
  const lockstep = await api();
  for (const { file, from, query } of wanted)
    await write(file, lockstep.file(['graph', ...from], interrupted(), { query }));
  const files = wanted.map(({ file }) => file);
  output.show({ files }, () => [
    ...files,
    ...(options.out === undefined
      ? []
      : ['Next: upload the files to BloodHound in this order (docs/graph.md).']),
  ]);
  return 'done';
}

function filesOf({ out, schema, svg }: Options): Wanted[] {
  if (schema && out === undefined) throw usage('--schema needs --out <dir>.');
  const within = (name: string) => path.resolve(out ?? '', name);
  return [
    ...(schema ? [{ file: within('lockstep-schema.json'), from: ['schema'] }] : []),
    ...(out === undefined
      ? []
      : [
          { file: within('lockstep.json'), from: [] },
          { file: within('lockstep-hybrid.json'), from: [], query: { part: 'hybrid' } },
        ]),
    ...(svg === undefined ? [] : [{ file: path.resolve(svg), from: ['picture'] }]),
  ];
}

/** Writes the file completely or not at all, readable only by its owner. */
async function write(file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${file}.${process.pid}.draft`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await pipeline(Readable.from(content), createWriteStream(draft, { mode: 0o600, flags: 'wx' }));
    await rename(draft, file);
  } catch (error) {
    // If the draft could not be created, there is nothing to remove.
    await rm(draft, { force: true }).catch(() => {});
    if (error instanceof Failure) throw error;
    throw new Failure(
      `${file} cannot be written (${(error as NodeJS.ErrnoException).code}). Choose another path or correct its permissions.`,
    );
  }
}
