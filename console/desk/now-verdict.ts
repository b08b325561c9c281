import type { Presence } from '../../model/api/presence';
import type { Source } from '../../model/api/sources';
import { keepsFromSealing } from '../../model/key-store-problem';
import { clock } from './shell';
import { accountsText } from './source-tools';

/** Whether anything needs a person now, and what, in sentences. */

export interface State {
  readonly presence: Presence;
  readonly sources: readonly Source[];
}

export type Tone = 'good' | 'busy' | 'bad';

/** Whether a source gets nothing now, and why: it is down, an operator has to end its pause, or the pause ends by itself. */
export type Condition = 'up' | 'down' | 'paused' | 'held';

export function conditionOf({ enabled, state, pausedUntil }: Source): Condition {
  if (!enabled) return 'up';
  return state === 'paused' && pausedUntil !== null ? 'held' : state;
}

export const conditionTones = { up: 'good', down: 'busy', paused: 'bad', held: 'busy' } as const;

/** Sources that need a person come first, then those that Lockstep handles itself. */
export function urgencyOf(source: Source): number {
  const condition = conditionOf(source);
  return (
    { paused: 1e9, down: 1e6, held: 1e5, up: 0 }[condition] +
    (source.parked > 0 ? 1e8 + Math.min(source.parked, 1e4) * 1e3 : 0) +
    Math.min(source.waiting, 999)
  );
}

export function verdictOf(state: State): { readonly tone: Tone; readonly says: string } {
  const needs = needsOf(state);
  const facts = factsOf(state);
  if (needs.length > 0) return { tone: 'bad', says: [...needs, ...facts].join(' ') };
  const tone = facts.length > 0 ? 'busy' : 'good';
  return { tone, says: [...facts, 'Nothing needs you now.'].join(' ') };
}

/** What needs a person. */
function needsOf({ presence, sources }: State): string[] {
  const { waitingFor, engineLacks, keyStoreProblems, unservedSources, sealing } = presence;
  const parked = sources.filter((source) => source.parked > 0);
  const count = sum(parked.map((source) => source.parked));
  const rules: readonly (readonly [boolean, string])[] = [
    [waitingFor === 'worker', 'No worker runs, so every change waits. Start a worker.'],
    [
      waitingFor === 'engine',
      'No worker can use Temporal, so every change waits. Run "lockstep doctor".',
    ],
    [
      engineLacks.length > 0,
      'Temporal lacks search attributes, so no change can start. Run "lockstep doctor".',
    ],
    [
      keyStoreProblems.some(keepsFromSealing),
      'New credentials of applications cannot be sealed, so changes of mapped accounts wait. Run "lockstep doctor".',
    ],
    [
      keyStoreProblems.some((problem) => !keepsFromSealing(problem)),
      'Some stored credentials of applications cannot be read. Run "lockstep doctor".',
    ],
    [
      sealing !== 'ready',
      'The API cannot seal passwords, so it accepts no change. Run "lockstep doctor".',
    ],
    [
      unservedSources.length > 0 && waitingFor !== 'worker',
      `No worker is bound to ${listed(unservedSources)}, so the accounts there wait. Start one.`,
    ],
    ...sources.map(
      (source) =>
        [conditionOf(source) === 'paused', `${source.name} is paused. ${source.says}`] as const,
    ),
    ...sources.map(
      (source) =>
        [
          conditionOf(source) === 'down' && source.reason === 'certificate_refused',
          `${source.name} is down. ${source.says}`,
        ] as const,
    ),
    [
      count > 0,
      `${accountsText(count)} ${count === 1 ? 'is' : 'are'} parked in ${listed(namesOf(parked))} until an operator retries or cancels ${count === 1 ? 'it' : 'them'}.`,
    ],
  ];
  return rules.flatMap(([isSo, says]) => (isSo ? [says] : []));
}

/** What Lockstep handles by itself. */
function factsOf({ sources }: State): string[] {
  const down = sources.filter(
    (source) => conditionOf(source) === 'down' && source.reason !== 'certificate_refused',
  );
  const held = sources.filter((source) => conditionOf(source) === 'held');
  const isHeldBack = (source: Source) => ['paused', 'held'].includes(conditionOf(source));
  const heldBack = sources.filter((source) => source.waiting > 0 && isHeldBack(source));
  const retried = waitingIn(sources.filter((source) => !isHeldBack(source)));
  return [
    ...(down.length > 0
      ? [`${listed(namesOf(down))} ${down.length === 1 ? 'is' : 'are'} down.`]
      : []),
    ...held.map(({ name, reason, pausedUntil }) =>
      pausedUntil === null
        ? ''
        : `${name} is ${reason === 'source_in_maintenance' ? 'in maintenance' : 'paused'} until ${clock(pausedUntil)}.`,
    ),
    ...(heldBack.length > 0
      ? [`${wait(waitingIn(heldBack))} until the pause of ${listed(namesOf(heldBack))} ends.`]
      : []),
    ...(retried > 0
      ? [`${wait(retried)}; Lockstep retries ${retried === 1 ? 'it' : 'them'} by itself.`]
      : []),
  ];
}

const wait = (count: number): string => `${accountsText(count)} ${count === 1 ? 'waits' : 'wait'}`;

const waitingIn = (sources: readonly Source[]): number =>
  sum(sources.map(({ waiting }) => waiting));

const namesOf = (sources: readonly Source[]): string[] => sources.map(({ name }) => name);

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

/** `crm`, `crm and wiki`, `crm, wiki and mail`. */
const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
