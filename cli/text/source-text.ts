import { span } from '../../model/span';
import type { JobProgress, Source, Waiting } from '../http/answers';
import type { Output, Style } from '../output';
import { indented } from './change-text';
import { waitsForTime } from './next-step';
import { type Cell, table } from './table';
import { relative } from './times';

/** The text of `lockstep sources`: a row for each source, then why a source is not up and what to do. */

const marks: Readonly<Record<Source['state'], readonly [string, Style]>> = {
  up: ['✔', 'green'],
  down: ['✖', 'red'],
  paused: ['!', 'yellow'],
};

const columns = [
  { title: '' },
  { title: 'SOURCE', cut: 'first' },
  { title: 'KIND' },
  { title: 'STATE', cut: 'last' },
  { title: 'WAITING' },
  { title: 'PARKED' },
  { title: 'NEXT ATTEMPT' },
  { title: 'REFRESHED' },
] as const;

export function sourceLines(output: Output, sources: readonly Source[], now: number): string[] {
  if (sources.length === 0)
    return ['There is no source yet. Add sources to lockstep.yaml, then run "lockstep apply".'];
  const unavailable = sources.filter(({ state }) => state !== 'up');
  const why = unavailable.flatMap(({ name, says, pausedUntil }) =>
    indented(
      `${name}: ${says}${pausedUntil === null ? '' : ` The pause ends at ${pausedUntil}.`}`,
      output.width,
    ),
  );
  const steps = unavailable.flatMap(nextSteps).map((step) => `  ${output.paint('bold', step)}`);
  const servers = sources
    .filter((source) => source.servers.length > 0)
    .flatMap((source) => indented(`${source.name}: ${source.servers.join(', ')}`, output.width));
  return [
    ...table(
      output,
      columns,
      sources.map((source) => row(source, now)),
    ),
    ...(servers.length === 0 ? [] : ['', 'Servers in use:', ...servers]),
    ...(why.length === 0 ? [] : ['', 'Why:', ...why]),
    ...(steps.length === 0 ? [] : ['', 'Next:', ...steps]),
  ];
}

function row(source: Source, now: number): Cell[] {
  const [text, style] = marks[source.state];
  const { name, kind, waiting, parked, nextProbeAt, pausedUntil } = source;
  const at = nextProbeAt ?? pausedUntil;
  const next = at === null ? '' : relative(at, now);
  return [
    { text, style },
    ...[name, kind, stateText(source, now), `${waiting}`, `${parked}`, next],
    refreshText(source, now),
  ];
}

function refreshText({ refresh }: Source, now: number): string {
  const { lastAt, failed, running, progress, nextAt } = refresh;
  if (running) return progress === null ? 'now' : `now: ${progressText(progress)}`;
  const last = lastAt === null ? 'never' : `${relative(lastAt, now)}${failed ? ', failed' : ''}`;
  return nextAt === null ? last : `${last}, next ${relative(nextAt, now)}`;
}

/** Shows how far a refresh is, such as "1200 of 5000 accounts linked, 85.3 per second". */
export function progressText({ step, done, total, perSecond }: JobProgress): string {
  const verb = step === 'reading' ? 'read' : 'linked';
  const of = total === null ? '' : ` of ${total}`;
  return `${done}${of} accounts ${verb}, ${perSecond} per second`;
}

function stateText({ state, enabled, since }: Source, now: number): string {
  const duration = since === null ? '' : ` for ${span(now - Date.parse(since))}`;
  return enabled ? `${state}${duration}` : `disabled, ${state}${duration}`;
}

function nextSteps({ name, state, reason, pausedBy }: Source): string[] {
  if (reason === 'source_in_maintenance') return [];
  return [
    ...(pausedBy === null || pausedBy === 'worker' ? [`lockstep doctor ${name}`] : []),
    `lockstep sources ${state === 'paused' ? 'resume' : 'retry'} ${name}`,
  ];
}

const waitingColumns = [
  { title: 'STATE' },
  { title: 'REASON' },
  { title: 'ACCOUNTS' },
  { title: 'OLDEST CHANGE' },
  { title: 'NEXT TRY' },
] as const;

/** The text of `lockstep sources waiting`: a row for each reason, then what each means and what can be done. */
export function waitingLines(
  output: Output,
  source: string,
  { groups }: Waiting,
  now: number,
): string[] {
  if (groups.length === 0) return [`Nothing waits for ${source}.`];
  const rows = groups.map(({ state, reason, accounts, oldestAt, nextTryAt }) => [
    state,
    reason ?? '',
    `${accounts}`,
    relative(oldestAt, now),
    nextTryAt === null ? '' : relative(nextTryAt, now),
  ]);
  const why = groups.flatMap(({ reason, says }) => (reason === null ? [] : [`${reason}: ${says}`]));
  const retried = groups.flatMap(({ reason }) =>
    reason === null || waitsForTime(reason) ? [] : [reason],
  );
  const next = [...new Set(retried)].map(
    (reason) => `  ${output.paint('bold', `lockstep sources retry ${source} --reason ${reason}`)}`,
  );
  return [
    ...table(output, waitingColumns, rows),
    ...['', 'Why:', ...[...new Set(why)].flatMap((text) => indented(text, output.width))],
    ...(next.length === 0 ? [] : ['', 'Next:', ...next]),
  ];
}
