import { type Form, layoutOf, type Scheme, schemes } from '../hashes/encoding';
import type { ConfigurationIssue } from './document';
import { type Configuration, groupsFrom } from './document';

/** In which form a password gets from where it was changed to where it is wanted. */

/**
 * As it is, if it is taken so; a password in plaintext else as the strongest hash that is. Of a hash nobody can make
 * another one.
 */
export const handedOver = (given: Form, accepts: readonly Form[]): Form | null => {
  if (accepts.includes(given)) return given;
  return given === 'plaintext' ? (schemes.find((one) => accepts.includes(one)) ?? null) : null;
};

/** What a source takes and gives; null where its settings are not right. */
export interface Abilities {
  readonly accepts: readonly Form[];
  /** With other settings. */
  readonly couldAccept: readonly Form[];
  readonly yields: readonly ('plaintext' | 'hash')[];
}
export type AbilitiesOf = (source: string) => Abilities | null;

/** A source that gives hashes of a scheme, and where they get to. */
export interface HashPath {
  readonly from: string;
  readonly form: Scheme;
  readonly to: readonly string[];
  readonly warnings: readonly string[];
}

type Sources = Pick<Configuration, 'sources' | 'groups' | 'applications'>;

/** Every way of a hash through a configuration that is right. */
export const hashPaths = (configuration: Sources): HashPath[] =>
  origins(configuration).flatMap(({ from, hashes, to }) =>
    hashes.map((form) => ({ from, form, to, warnings: warnings(configuration, form, to) })),
  );

interface Origin {
  readonly from: string;
  readonly at: string[];
  readonly forms: readonly Form[];
  readonly hashes: readonly Scheme[];
  /** Every source that a change from there writes. */
  readonly to: readonly string[];
  readonly isAuth: boolean;
  readonly verifyCurrent: boolean;
}

/** The sources that take captures. */
function origins(configuration: Sources): Origin[] {
  const { sources } = configuration;
  return Object.entries(sources).flatMap(([from, { capture, enabled, ...source }]) => {
    if (capture?.enabled !== true) return [];
    const groups = groupsFrom(configuration, from);
    const covered = new Set(groups.flatMap((group) => [group.authSource, ...group.sources]));
    // It is not written back, unless it holds several accounts of the person.
    if (!source.multipleAccountPasswordSync) covered.delete(from);
    const { forms, verifyCurrent } = capture;
    return [
      {
        from,
        at: ['sources', from, 'capture'],
        forms,
        hashes: forms.filter((form) => form !== 'plaintext'),
        to: enabled ? [...covered].filter((one) => sources[one]?.enabled === true) : [],
        isAuth: groups[0]?.authSource === from,
        verifyCurrent,
      },
    ];
  });
}

/** What a capture could bring that would get nowhere. It is refused here, so that it is not found out later. */
export const formIssues = (
  configuration: Sources,
  abilitiesOf: AbilitiesOf,
): ConfigurationIssue[] =>
  origins(configuration).flatMap((origin) => [
    ...yieldIssues(origin, abilitiesOf),
    ...currentIssues(origin),
    ...pairIssues(origin, configuration, abilitiesOf),
  ]);

function yieldIssues({ from, at, forms }: Origin, abilitiesOf: AbilitiesOf): ConfigurationIssue[] {
  const yields = abilitiesOf(from)?.yields;
  if (yields === undefined) return [];
  if (yields.length === 0)
    return [
      {
        path: at,
        says: 'is not possible: such a source never gives its passwords, in no form; take capture away',
      },
    ];
  return forms
    .filter((form) => !yields.includes(form === 'plaintext' ? form : 'hash'))
    .map((form) => ({
      path: [...at, 'forms'],
      says: `names ${form}, but such a source gives ${yields.includes('hash') ? 'hashes' : 'passwords in plaintext'} only`,
    }));
}

const currentIssues = ({ at, hashes, isAuth, verifyCurrent }: Origin): ConfigurationIssue[] =>
  hashes.length > 0 && verifyCurrent && !isAuth
    ? [
        {
          path: [...at, 'verifyCurrent'],
          says: 'has to be false: whoever has only hashes has no current password to bring',
        },
      ]
    : [];

const pairIssues = (
  { from, at, hashes, to }: Origin,
  { sources }: Sources,
  abilitiesOf: AbilitiesOf,
): ConfigurationIssue[] =>
  hashes.flatMap((form) =>
    to.flatMap((target) => {
      const abilities = abilitiesOf(target);
      if (abilities === null) return [];
      const why = refusal(form, abilities, sources[target]?.passwordFilter !== undefined);
      if (why === null) return [];
      const says = `names ${form}, which cannot get from "${from}" to "${target}": ${why}; take ${form} away here, or "${target}" out of the group`;
      return [{ path: [...at, 'forms'], says }];
    }),
  );

function refusal(
  form: Scheme,
  { accepts, couldAccept }: Abilities,
  filtered: boolean,
): string | null {
  if (filtered) return 'its passwordFilter cannot rewrite a hash';
  if (handedOver(form, accepts) !== null) return null;
  const taken = `it takes ${accepts.join(', ')}`;
  return couldAccept.includes(form)
    ? `${taken}, unless its settings say that it knows ${form} too`
    : `${taken}, and no other hash can be made of this one`;
}

function warnings({ applications }: Sources, form: Scheme, to: readonly string[]): string[] {
  const { weak } = layoutOf(form);
  return [
    ...(weak === undefined ? [] : [`${form} is weak: ${weak}.`]),
    ...Object.entries(applications)
      .filter(([, { source }]) => to.includes(source))
      .map(
        ([name]) =>
          `Credentials of "${name}" are out of sync afterwards: nobody signs in with a hash.`,
      ),
  ];
}
