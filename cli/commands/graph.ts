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
    .summary('who can come by which password: files for BloodHound, or a picture')
    .description(
      'Writes who can come by which password, as BloodHound OpenGraph. The files hold no password, but the name of every account: keep them as you keep those.',
    )
    .option(
      '--out <dir>',
      'write lockstep.json and lockstep-hybrid.json there; upload them in this order',
    )
    .option(
      '--schema',
      'with --out: lockstep-schema.json too, which BloodHound is given once, first',
    )
    .option('--svg <file>', 'write a picture of sources and groups')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep graph --out bloodhound --schema', 'everything that BloodHound needs'],
          ['lockstep graph --svg lockstep.svg', 'how passwords flow, to look at'],
        ],
      }),
    )
    .action(action(graph));

interface Wanted {
  readonly file: string;
  /** Below /v1/graph. */
  readonly from: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
}

async function graph({ output, api, interrupted }: Session, options: Options): Promise<Exit> {
  const wanted = filesOf(options);
  if (wanted.length === 0) throw usage('Say what to write: --out <dir>, --svg <file> or both.');
  const lockstep = await api();
  for (const { file, from, query } of wanted)
    await write(file, lockstep.file(['graph', ...from], interrupted(), { query }));
  const files = wanted.map(({ file }) => file);
  output.show({ files }, () => [
    ...files,
    ...(options.out === undefined ? [] : ['Next: upload them in this order, see docs/graph.md.']),
  ]);
  return 'done';
}

function filesOf({ out, schema, svg }: Options): Wanted[] {
  if (schema && out === undefined) throw usage('--schema goes with --out <dir>.');
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

/** Whole or not at all, for nobody else to read. */
async function write(file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${file}.${process.pid}.draft`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await pipeline(Readable.from(content), createWriteStream(draft, { mode: 0o600, flags: 'wx' }));
    await rename(draft, file);
  } catch (error) {
    // Where it could not be made, there is none.
    await rm(draft, { force: true }).catch(() => {});
    if (error instanceof Failure) throw error;
    throw new Failure(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}
