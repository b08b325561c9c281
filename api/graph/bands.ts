import { type Group, isLone } from '../../model/configuration/group';
import type { GraphView, SourceTraits } from '../../model/graph/facts';

/** A rectangle of the picture: a name, and lines of small text below it. */
export interface Box {
  readonly name: string;
  readonly lines: readonly string[];
  readonly style: 'api' | 'captured' | 'group' | 'auth' | 'member' | 'off';
}

/** One row of the picture: a group with its origins on the left and its targets on the right. */
export interface Band {
  /** Null for the sources that are in no group. */
  readonly group: Box | null;
  readonly origins: readonly Box[];
  readonly targets: readonly Box[];
  /** The auth source, if it belongs to another group; else null. */
  readonly lent: string | null;
}

/** A band for each group, and one for the sources that are in no group. */
export function bandsOf(view: GraphView, accountsIn: (source: string) => number): Band[] {
  const grouped = new Set(view.groups.flatMap(({ sources }) => sources));
  const rest = [...view.traits.keys()].filter((source) => !grouped.has(source));
  const boxes = (sources: readonly string[], authSource: string | null) =>
    sources.map((source) => sourceBox(view, source, authSource, accountsIn(source)));
  const bands = view.groups.map((group): Band => {
    const { authSource, sources } = group;
    const isMember = sources.includes(authSource);
    const others = sources.filter((source) => source !== authSource);
    return {
      group: groupBox(group),
      origins: [API, ...sources.flatMap((source) => capturedBox(source, view.traits.get(source)))],
      targets: boxes(isMember ? [authSource, ...others] : others, authSource),
      lent: isMember ? null : authSource,
    };
  });
  return rest.length === 0
    ? bands
    : [...bands, { group: null, origins: [], targets: boxes(rest, null), lent: null }];
}

const API: Box = { name: 'api', lines: ['changes by people and help desks'], style: 'api' };

const groupBox = (group: Group): Box => ({
  name: group.name,
  lines: [
    isLone(group) ? 'a source on its own' : `auth source ${group.authSource}`,
    `policy ${group.policy}, ${group.failureMode}`,
  ],
  style: 'group',
});

const capturedBox = (name: string, traits: SourceTraits | undefined): Box[] =>
  traits?.captures === true
    ? [
        {
          name,
          lines: [
            traits.needsCurrent ? 'captured, current password verified' : 'captured, trusted',
          ],
          style: 'captured',
        },
      ]
    : [];

function sourceBox(
  view: GraphView,
  name: string,
  authSource: string | null,
  accounts: number,
): Box {
  const traits = view.traits.get(name);
  const notes = [
    name === authSource ? 'auth source' : '',
    traits?.hashOnly ? 'receives a hash only' : '',
    traits?.filtered ? (traits.weakened ? 'filtered, weaker' : 'filtered') : '',
    authSource === null ? 'in no group' : '',
    traits?.enabled ? '' : 'disabled',
  ].filter((note) => note !== '');
  const count = accounts === 1 ? '1 account' : `${accounts} accounts`;
  // If the auth source is disabled, every change of the group is refused.
  const flows = [name, authSource].every(
    (source) => source !== null && view.traits.get(source)?.enabled === true,
  );
  return {
    name,
    lines: [`${traits?.kind ?? ''}, ${count}`, ...(notes.length === 0 ? [] : [notes.join(', ')])],
    style: flows ? (name === authSource ? 'auth' : 'member') : 'off',
  };
}
