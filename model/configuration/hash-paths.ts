import { type Form, layoutOf, type Scheme, schemes } from '../hashes/encoding';
import { filtersIn } from './account-filter';
import type { ConfigurationIssue } from './document';
import { type Configuration, groupsFrom } from './document';

/**
 * The form in which a source gets a password that comes in the form `given`: unchanged if the source accepts that form;
 * else a plaintext password as the strongest hash that the source accepts. A hash cannot become another hash.
 * @returns null when the source accepts no form that can be made of it
 */
export const handedOver = (given: Form, accepts: readonly Form[]): Form | null => {
  if (accepts.includes(given)) return given;
  return given === 'plaintext'
    ? (schemes.find((scheme) => accepts.includes(scheme)) ?? null)
    : null;
};

/** The forms that a source accepts, and those in which its passwords can be captured. */
export interface Abilities {
  readonly accepts: readonly Form[];
  /** The forms that its connector could accept with other settings. */
  readonly couldAccept: readonly Form[];
  readonly yields: readonly ('plaintext' | 'hash')[];
}
/** Returns null for a source whose settings are not valid. */
export type AbilitiesOf = (source: string) => Abilities | null;

/** A source that captures hashes of one scheme, the sources that get them, and warnings about it. */
export interface HashPath {
  readonly from: string;
  readonly form: Scheme;
  readonly to: readonly string[];
  readonly warnings: readonly string[];
}

type Sources = Pick<Configuration, 'sources' | 'groups' | 'applications'>;

/** Every way of a captured hash through a valid configuration, as `lockstep plan` shows it. */
export const hashPaths = (configuration: Sources): HashPath[] =>
  origins(configuration).flatMap(({ from, hashes, to }) =>
    hashes.map((form) => ({ from, form, to, warnings: warnings(configuration, form, to) })),
  );

interface Origin {
  readonly from: string;
  readonly at: string[];
  readonly forms: readonly Form[];
  readonly hashes: readonly Scheme[];
  /** The sources that a change from this origin writes. */
  readonly to: readonly string[];
}

/** The sources in which a change may begin, because they accept captures. */
function origins(configuration: Sources): Origin[] {
  const { sources } = configuration;
  return Object.entries(sources).flatMap(([from, { capture, enabled, ...source }]) => {
    if (capture?.enabled !== true) return [];
    const groups = groupsFrom(configuration, from);
    const covered = new Set(groups.flatMap((group) => [group.authSource, ...group.sources]));
    // The origin is not written back, unless it holds several accounts of the person.
    if (!source.multipleAccountPasswordSync) covered.delete(from);
    const { forms } = capture;
    return [
      {
        from,
        at: ['sources', from, 'capture'],
        forms,
        hashes: forms.filter((form) => form !== 'plaintext'),
        to: enabled ? [...covered].filter((name) => sources[name]?.enabled === true) : [],
      },
    ];
  });
}

/**
 * The issues of captures that could never reach every source of their groups. They are refused when the configuration
 * is applied, so that no capture fails later.
 */
export const formIssues = (
  configuration: Sources,
  abilitiesOf: AbilitiesOf,
): ConfigurationIssue[] =>
  origins(configuration).flatMap((origin) => [
    ...yieldIssues(origin, abilitiesOf),
    ...pairIssues(origin, configuration, abilitiesOf),
  ]);

function yieldIssues({ from, at, forms }: Origin, abilitiesOf: AbilitiesOf): ConfigurationIssue[] {
  const yields = abilitiesOf(from)?.yields;
  if (yields === undefined) return [];
  if (yields.length === 0)
    return [
      {
        path: at,
        says: 'is not possible: this kind of source never exposes its passwords; remove capture',
      },
    ];
  return forms
    .filter((form) => !yields.includes(form === 'plaintext' ? form : 'hash'))
    .map((form) => ({
      path: [...at, 'forms'],
      says: `names ${form}, but this kind of source provides only ${yields.includes('hash') ? 'hashes' : 'passwords in plaintext'}; remove ${form}`,
    }));
}

const pairIssues = (
  { from, at, hashes, to }: Origin,
  configuration: Sources,
  abilitiesOf: AbilitiesOf,
): ConfigurationIssue[] =>
  hashes.flatMap((form) =>
    to.flatMap((target) => {
      const abilities = abilitiesOf(target);
      if (abilities === null) return [];
      const why = refusal(form, abilities, hasFilter(configuration, target));
      if (why === null) return [];
      const says = `names ${form}, which cannot be carried from "${from}" to "${target}": ${why}; remove ${form} here, or "${target}" from the group`;
      return [{ path: [...at, 'forms'], says }];
    }),
  );

/** Accounts that are mapped to an application with a filter could not get the hash either. */
const hasFilter = (configuration: Sources, source: string): boolean =>
  filtersIn(configuration, source).some((filter) => filter !== null);

function refusal(
  form: Scheme,
  { accepts, couldAccept }: Abilities,
  filtered: boolean,
): string | null {
  if (filtered) return 'its passwordFilter, or that of an application, cannot rewrite a hash';
  if (handedOver(form, accepts) !== null) return null;
  const accepted = `it accepts ${accepts.join(', ')}`;
  return couldAccept.includes(form)
    ? `${accepted}, unless its settings add ${form}`
    : `${accepted}, and a hash cannot be turned into another one`;
}

function warnings({ applications }: Sources, form: Scheme, to: readonly string[]): string[] {
  const { weak } = layoutOf(form);
  return [
    ...(weak === undefined ? [] : [`${form} is weak: ${weak}.`]),
    ...Object.entries(applications)
      .filter(([, { source }]) => to.includes(source))
      .map(
        ([name]) =>
          `Credentials of "${name}" will be out of sync: an application cannot sign in with a hash.`,
      ),
  ];
}
