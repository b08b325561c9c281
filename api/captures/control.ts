import { z } from 'zod';
import { capturesSchema } from '../../model/api/captures';
import { replicasCovered } from '../../model/captures/replica';
import { noEffectSays } from '../../model/captures/without-effect';
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
import { resetHistory } from '../../store/captures/fingerprints';
import { listRelays } from '../../store/captures/relays';
import { countWithoutEffect } from '../../store/captures/without-effect';
import { readReplicas } from '../../store/sources/replicas';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import { visibleSources } from '../sources/visible';

const answers = {
  200: {
    says: 'The current state of captures for each source.',
    schema: capturesSchema,
  },
} as const;
const sourceMember = sourceName
  .optional()
  .describe('If omitted, every source with captures enabled.');

const list = route({
  method: 'get',
  path: '/v1/captures',
  right: 'read',
  summary: 'See the state of captures for each source',
  answers,
  handle: async (deps, { caller }) => read(deps, await namesFor(deps, caller)),
});

const switchCaptures = (verb: 'stop' | 'start', summary: string, description: string): Route =>
  route({
    method: 'post',
    path: `/v1/captures/${verb}`,
    right: 'operate',
    summary,
    description,
    body: smallBody(z.strictObject({ source: sourceMember }), { one: { source: 'warehouse' } }),
    answers,
    problems: ['not_found'],
    handle: async (deps, { caller, body }) => {
      const names = await namesFor(deps, caller, body.source);
      const apply = verb === 'stop' ? stopCaptures : startCaptures;
      await apply(deps.db, names, actorOf(caller));
      return read(deps, names);
    },
  });

const cursor = z
  .string()
  .regex(/^[!-~]{1,255}$/)
  .describe('Capture what follows this cursor. The `sequence` of a relay is such a cursor.');
const instant = z.iso.datetime({ offset: true }).transform((at) => new Date(at));

const newStartpoint = z.discriminatedUnion('from', [
  z.strictObject({ source: sourceMember, from: z.enum(['begin', 'end']) }),
  z.strictObject({ source: sourceName, from: z.literal('cursor'), cursor }),
  z.strictObject({ source: sourceMember, from: z.literal('time'), at: instant }),
]);

const startFrom = route({
  method: 'post',
  path: '/v1/captures/startpoint',
  right: 'operate',
  summary: 'Set from where on password changes are captured',
  description:
    'A relay that polls its source moves to the startpoint within 15 seconds. Captures from before `end`, or before the given time, are ignored, whichever way they are submitted. Moving back undoes nothing: captures older than the latest change of a person have no effect, and captures that were ingested before are recognised as duplicates.',
  body: smallBody(newStartpoint, {
    now: { source: 'warehouse', from: 'end' },
    past: { from: 'time', at: '2026-01-31T12:00:00Z' },
  }),
  answers,
  problems: ['not_found', 'startpoint_not_possible'],
  handle: async (deps, { caller, body }) => {
    const names = await namesFor(deps, caller, body.source);
    if (body.from === 'cursor' && !(await isPolled(deps, body.source)))
      throw new HttpProblem('startpoint_not_possible');
    const { source: _, ...startpoint } = body;
    await setStartpoint(deps.db, names, startpoint, actorOf(caller));
    return read(deps, names);
  },
});

const reset = route({
  method: 'post',
  path: '/v1/captures/reset',
  right: 'operate',
  summary: 'Clear the history of captured and written passwords',
  description:
    'An identical capture within 10 minutes is a duplicate, and a capture of a password that Lockstep has written is an echo. After this, both start a change. Changes in progress are remembered.',
  body: smallBody(z.strictObject({ sources: z.array(sourceName).max(1000) }), {
    one: { sources: ['warehouse'] },
  }),
  answers: {
    200: {
      says: 'The history is cleared.',
      schema: z.object({
        changes: z.number().int().describe('The number of changes whose password is forgotten.'),
      }),
    },
  },
  problems: ['not_found'],
  handle: async (deps, { caller, body }) => {
    const { configuration } = await deps.configuration();
    const visible = visibleSources(configuration, caller);
    if (!body.sources.every((name) => visible.includes(name))) throw new HttpProblem('not_found');
    const changes = await resetHistory(deps.db, body.sources, actorOf(caller));
    return { status: 200, body: { changes } };
  },
});

/**
 * The sources that the API key may see and that have captures enabled.
 * @throws HttpProblem if `wanted` is not one of them
 */
async function namesFor(deps: Dependencies, caller: Caller, wanted?: string): Promise<string[]> {
  const { configuration } = await deps.configuration();
  const names = visibleSources(configuration, caller).filter(
    (name) => sourceNamed(configuration, name)?.capture?.enabled === true,
  );
  if (wanted === undefined) return names;
  if (!names.includes(wanted)) throw new HttpProblem('not_found');
  return [wanted];
}

/** Whether a relay has reported that it polls the source. */
const isPolled = async ({ db }: Dependencies, source: string): Promise<boolean> =>
  (await listRelays(db)).some(
    (relay) => relay.source === source && relay.startpointApplied !== null,
  );

async function read({ db }: Dependencies, names: readonly string[]) {
  const [controls, replicas, relays, withoutEffect] = await Promise.all([
    readCaptureControls(db),
    readReplicas(db),
    listRelays(db),
    countWithoutEffect(db),
  ]);
  const sources = names.map((source) => {
    const active = relays.filter((relay) => relay.source === source && relay.revokedAt === null);
    const control = controls.get(source);
    return {
      source,
      ...statusOf(control),
      startpoint: control?.startpoint
        ? startpointOf(control.startpoint, startpointAppliedBy(active, control.startpoint.number))
        : null,
      withoutEffect: withoutEffect
        .filter((one) => one.source === source)
        .map(({ source: _, ...counted }) => ({ ...counted, says: noEffectSays(counted.reason) })),
      servers: [...replicasCovered(replicas.get(source) ?? [], active)],
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

/** Whether every relay that polls the source has applied the startpoint; null if none polls it. */
function startpointAppliedBy(
  relays: readonly { readonly startpointApplied: number | null }[],
  number: number,
): boolean | null {
  const applied = relays
    .map(({ startpointApplied }) => startpointApplied)
    .filter((startpointApplied) => startpointApplied !== null);
  return applied.length === 0 ? null : applied.every((latest) => latest >= number);
}

export const captureControlRoutes: readonly Route[] = [
  list,
  switchCaptures(
    'stop',
    'Stop ingesting captures',
    'Relays keep new captures until the age limit for changes. A client that submits a capture is asked to submit it again later.',
  ),
  switchCaptures(
    'start',
    'Resume ingesting captures',
    'Captures that were kept in the meantime are ingested, the oldest first.',
  ),
  startFrom,
  reset,
];
