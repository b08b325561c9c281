import type { Configuration } from '../../model/configuration/document';
import { isInherited } from '../../model/configuration/names';
import { type FieldSpec, settingsTyped, type Typed } from './form-fields';

/** The inputs of the form that connects a source, apart from the settings of its kind. */
export const inputs = {
  name: 'name',
  titles: ['title-en', 'title-de', 'hint-en', 'hint-de'],
  match: ['match-account', 'match-person', 'match2-account', 'match2-person'],
  createBy: 'create-by',
  group: 'group',
  policy: 'policy',
  newGroup: 'new-group',
  other: 'other-source',
  auth: 'auth-source',
} as const;

/** What a password of the source is shared with. A name of a group stands for that group. */
export const NO_GROUP = '';
export const OWN_PASSWORD = ':own';
export const NEW_GROUP = ':new';

/** A policy that is added with the default rules, if no policy of the configuration is chosen. */
export const NEW_POLICY = ':new';
const NEW_POLICY_NAME = 'everyone';

/** The part of the configuration that the form describes: a source, and what it adds elsewhere. */
export interface Connected {
  readonly name: string;
  readonly source: Readonly<Record<string, unknown>>;
  /** The whole configuration with the source. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Only what is new or different, for people to read. */
  readonly added: Readonly<Record<string, unknown>>;
}

/** The configuration in force with the source that was typed. What was typed is not checked here: the API does that. */
export function connectedBy(
  configuration: Configuration,
  kind: string,
  fields: readonly FieldSpec[],
  typed: Typed,
): Connected {
  const name = typed(inputs.name).trim();
  const wanted = typed(inputs.group);
  const policy = policyOf(configuration, typed(inputs.policy));
  const source = {
    ...textsOf(typed),
    kind,
    settings: settingsTyped(fields, typed),
    ...matchOf(typed),
    ...(wanted === OWN_PASSWORD ? { policy: policy.name } : {}),
  };
  const group = groupOf(configuration, name, policy.name, typed);
  const needsPolicy = wanted === OWN_PASSWORD || wanted === NEW_GROUP;
  const added = {
    sources: { [name]: source },
    ...(needsPolicy && policy.isNew ? { policies: { [policy.name]: {} } } : {}),
    ...(group === null ? {} : { groups: group }),
  };
  const document = {
    ...configuration,
    sources: { ...configuration.sources, ...added.sources },
    policies: { ...configuration.policies, ...added.policies },
    groups: { ...configuration.groups, ...added.groups },
  };
  return { name, source, document, added };
}

/**
 * The names that the configuration has already, by the input that asks for them. The form adds sources and groups, and
 * never replaces one.
 */
export function takenNames(
  { sources, groups }: Configuration,
  typed: Typed,
): Readonly<Record<string, string>> {
  const [source, group] = [inputs.name, inputs.newGroup].map((input) => typed(input).trim());
  const has = (entries: object, name = '') => !isInherited(name) && Object.hasOwn(entries, name);
  return {
    ...(has(sources, source)
      ? { [inputs.name]: `There is already a source "${source}". Choose another name.` }
      : {}),
    ...(typed(inputs.group) === NEW_GROUP && has(groups, group)
      ? {
          [inputs.newGroup]: `There is already a group "${group}". Choose another name, or choose this group above.`,
        }
      : {}),
  };
}

function textsOf(typed: Typed): object {
  const text = (what: 'title' | 'hint') => {
    const texts = Object.fromEntries(
      (['en', 'de'] as const).flatMap((language) => {
        const value = typed(`${what}-${language}`).trim();
        return value === '' ? [] : [[language, value]];
      }),
    );
    return Object.keys(texts).length === 0 ? {} : { [what]: texts };
  };
  return { ...text('title'), ...text('hint') };
}

/** The rules that find the account of a person, and the attribute that names the people whom a refresh adds. */
function matchOf(typed: Typed): object {
  const rules = ['match', 'match2'].flatMap((rule) => {
    const account = typed(`${rule}-account`).trim();
    const person = typed(`${rule}-person`).trim();
    return account === '' && person === '' ? [] : [{ [account]: person }];
  });
  const createBy = typed(inputs.createBy).trim();
  return {
    ...(rules.length === 0 ? {} : { correlate: rules }),
    ...(createBy === '' ? {} : { createIdentities: { name: createBy } }),
  };
}

function policyOf({ policies }: Configuration, chosen: string) {
  const isNew = chosen === NEW_POLICY || chosen === '';
  return { name: isNew ? unusedIn(policies) : chosen, isNew };
}

/** A name that no policy has, such as `everyone-2`. */
function unusedIn(policies: Configuration['policies'], number = 1): string {
  const name = number === 1 ? NEW_POLICY_NAME : `${NEW_POLICY_NAME}-${number}`;
  return Object.hasOwn(policies, name) ? unusedIn(policies, number + 1) : name;
}

/** The group that the source joins or begins; null if there is none. */
function groupOf(
  { groups }: Configuration,
  name: string,
  policy: string,
  typed: Typed,
): Record<string, object> | null {
  const wanted = typed(inputs.group);
  if (wanted === NO_GROUP || wanted === OWN_PASSWORD) return null;
  if (wanted === NEW_GROUP) {
    const other = typed(inputs.other);
    const authSource = typed(inputs.auth) === 'this' ? name : other;
    return { [typed(inputs.newGroup).trim()]: { policy, authSource, sources: [other, name] } };
  }
  const joined = Object.hasOwn(groups, wanted) ? groups[wanted] : undefined;
  if (joined === undefined) return null;
  const sources = joined.sources.includes(name) ? joined.sources : [...joined.sources, name];
  return { [wanted]: { ...joined, sources } };
}
