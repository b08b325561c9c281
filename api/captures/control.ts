import { z } from 'zod';
import { capturesSchema } from '../../model/api/captures';
import { replicasCovered } from '../../model/captures/replica';
import { sourceNamed } from '../../model/configuration/document';
import type { Caller } from '../../store/api-keys';
import {
  type CaptureControl,
  readCaptureControls,
  type SetStartpoint,
  setStartpoint,
  startCaptures,
  stopCaptures,
} from '../../store/captures/control';
import { listRelays } from '../../store/captures/relays';
import { readReplicas } from '../../store/sources/replicas';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import { visibleSources } from '../sources/view';

/** The captures of whole sources: whether they are taken in, from where on, and on which servers nobody captures. */

const answers = {
  200: {
    says: 'The captures of the sources as they are now.',
    schema: capturesSchema,
  },
} as const;
const sourceMember = sourceName.optional().describe('Left out: every source that takes captures.');

const list = route({
  method: 'get',
  path: '/v1/captures',
  scope: 'read',
  summary: 'See how the captures of each source are',
  answers,
  handle: async (deps, { caller }) => read(deps, await namesFor(deps, caller)),
});

const turn = (verb: 'stop' | 'start', summary: string, description: string): Route =>
  route({
    method: 'post',
    path: `/v1/captures/${verb}`,
    scope: 'admin',
    summary,
    description,
    body: smallBody(z.strictObject({ source: sourceMember }), { one: { source: 'warehouse' } }),
    answers,
    problems: ['not_found'],
    handle: async (deps, { caller, body }) => {
      const names = await namesFor(deps, caller, body.source);
      const act = verb === 'stop' ? stopCaptures : startCaptures;
      await act(deps.db, names, byCaller(caller));
      return read(deps, names);
    },
  });

const cursor = z
  .string()
  .regex(/^[!-~]{1,255}$/)
  .describe('What comes after it. "sequence" of a relay is one.');
const instant = z.iso.datetime({ offset: true }).transform((at) => new Date(at));

const wantedSchema = z.discriminatedUnion('from', [
  z.strictObject({ source: sourceMember, from: z.enum(['begin', 'end']) }),
  z.strictObject({ source: sourceName, from: z.literal('cursor'), cursor }),
  z.strictObject({ source: sourceMember, from: z.literal('time'), at: instant }),
]);

const startFrom = route({
  method: 'post',
  path: '/v1/captures/startpoint',
  scope: 'admin',
  summary: 'Say from where on passwords are captured',
  description:
    'A relay that reads its source goes there within a quarter of a minute. What was captured before `end` or a time does not count, however it comes. Going back undoes nothing: what is older than the latest change of a person stays without effect, and what was taken in before is known again.',
  body: smallBody(wantedSchema, {
    now: { source: 'warehouse', from: 'end' },
    past: { from: 'time', at: '2026-01-31T12:00:00Z' },
  }),
  answers,
  problems: ['not_found', 'startpoint_not_possible'],
  handle: async (deps, { caller, body }) => {
    const names = await namesFor(deps, caller, body.source);
    if (body.from === 'cursor' && !(await isRead(deps, body.source)))
      throw new HttpProblem('startpoint_not_possible');
    const { source: _, ...startpoint } = body;
    await setStartpoint(deps.db, names, startpoint, byCaller(caller));
    return read(deps, names);
  },
});

const byCaller = ({ keyId }: Caller): string => `api-key:${keyId}`;

/** Those that the key may see, and that take captures. */
async function namesFor(deps: Dependencies, caller: Caller, wanted?: string): Promise<string[]> {
  const { configuration } = await deps.configuration();
  const names = visibleSources(configuration, caller).filter(
    (name) => sourceNamed(configuration, name)?.capture?.enabled === true,
  );
  if (wanted === undefined) return names;
  if (!names.includes(wanted)) throw new HttpProblem('not_found');
  return [wanted];
}

/** A relay has told that it reads the source. */
const isRead = async ({ db }: Dependencies, source: string): Promise<boolean> =>
  (await listRelays(db)).some(
    (relay) => relay.source === source && relay.startpointApplied !== null,
  );

async function read({ db }: Dependencies, names: readonly string[]) {
  const [controls, replicas, relays] = await Promise.all([
    readCaptureControls(db),
    readReplicas(db),
    listRelays(db),
  ]);
  const sources = names.map((source) => {
    const there = relays.filter((relay) => relay.source === source && relay.revokedAt === null);
    const control = controls.get(source);
    return {
      source,
      ...statusOf(control),
      startpoint: control?.startpoint
        ? startpointOf(control.startpoint, startpointAppliedBy(there, control.startpoint.number))
        : null,
      servers: [...replicasCovered(replicas.get(source) ?? [], there)],
    };
  });
  return { status: 200 as const, body: { sources } };
}

const statusOf = (control: CaptureControl | undefined) => ({
  stoppedAt: control?.stoppedAt ?? null,
  stoppedBy: control?.stoppedBy ?? null,
});

const startpointOf = (
  { startpoint, notBefore, setAt, setBy }: SetStartpoint,
  startpointApplied: boolean | null,
) => ({
  from: startpoint.from,
  cursor: startpoint.from === 'cursor' ? startpoint.cursor : null,
  ...{ notBefore, setAt, setBy, startpointApplied },
});

function startpointAppliedBy(
  relays: readonly { readonly startpointApplied: number | null }[],
  number: number,
): boolean | null {
  const reading = relays
    .map(({ startpointApplied }) => startpointApplied)
    .filter((startpointApplied) => startpointApplied !== null);
  return reading.length === 0
    ? null
    : reading.every((startpointApplied) => startpointApplied >= number);
}

export const captureControlRoutes: readonly Route[] = [
  list,
  turn(
    'stop',
    'Take no captures in for a while',
    'Relays keep what comes, as long as a change may be old. Whoever sends captures is told to send them again.',
  ),
  turn('start', 'Take captures in again', 'What was kept meanwhile is taken in, the oldest first.'),
  startFrom,
];
