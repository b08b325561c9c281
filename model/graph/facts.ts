import type { LinkedAccount } from '../change/plan';
import { filtersIn } from '../configuration/account-filter';
import { inboundSync } from '../configuration/adapter';
import {
  type Configuration,
  groupsOf,
  policiesOf,
  type SourceConfiguration,
  sourcesOf,
} from '../configuration/document';
import type { Group, Source } from '../configuration/group';
import { weakens } from '../policy/password-filter';
import type { Place } from './elements';

/** The input of the graph, apart from people and API keys. */
export interface GraphFacts {
  /** Identifies this deployment, and never changes. */
  readonly deploymentId: string;
  readonly deploymentName: string;
  readonly configurationVersion: number;
  readonly configuration: Configuration;
  /** True when the source gets a hash and never the password itself. */
  readonly takesHashOnly: (source: SourceConfiguration) => boolean;
}

export interface PersonFacts {
  readonly name: string;
  /** Primary accounts first, then in the order in which they were linked. */
  readonly accounts: readonly AccountFacts[];
}

export interface AccountFacts extends LinkedAccount {
  readonly nativeId: string | null;
  /** Sequence number of the newest change whose password it is known to hold; 0 for none. */
  readonly appliedSeq: number;
  /** When it last accepted a password, in ISO 8601; null when that is not known. */
  readonly lastSuccess: string | null;
  /** Applications whose stored credential is the password of this account. */
  readonly storedFor: readonly string[];
}

/** An API key that is in use. */
export interface KeyFacts {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** The groups that the key is bound to; null for all groups. */
  readonly groups: readonly string[] | null;
  /** The one source whose captures the key may send; null when the key is not that of a relay. */
  readonly relayOf: string | null;
}

/** The facts, with the values that follow from the configuration alone. */
export interface GraphView extends Place {
  readonly facts: GraphFacts;
  readonly sources: readonly Source[];
  readonly groups: readonly Group[];
  /** Groups with the same auth source: one change of a person covers them together. */
  readonly clusters: readonly (readonly Group[])[];
  readonly traits: ReadonlyMap<string, SourceTraits>;
}

/** The traits of a source that matter to an attacker. */
export interface SourceTraits {
  readonly kind: string;
  readonly enabled: boolean;
  /** True when a password that is changed in the source is carried to the others. */
  readonly captures: boolean;
  /** The forms in which passwords are captured there: `plaintext`, or schemes of hashes. */
  readonly capturedForms: readonly string[];
  /** True when a capture has to include the current password. */
  readonly needsCurrent: boolean;
  readonly hashOnly: boolean;
  /** True when the source gets a rewritten password instead of the password itself. */
  readonly filtered: boolean;
  /** True when the rewritten password is weaker than the policy of the group asks for. */
  readonly weakened: boolean;
}

export function viewOf(facts: GraphFacts): GraphView {
  const { configuration, deploymentId } = facts;
  const groups = groupsOf(configuration);
  return {
    deploymentId,
    facts,
    groups,
    sources: sourcesOf(configuration),
    clusters: [...new Set(groups.map(({ authSource }) => authSource))].map((authSource) =>
      groups.filter((group) => group.authSource === authSource),
    ),
    traits: new Map(
      Object.keys(configuration.sources).map((name) => [name, traitsOf(facts, groups, name)]),
    ),
  };
}

/** A capture of an adapter that updates only the stored credential gives no other account its password. */
const reachesOthers = ({ adapter }: SourceConfiguration, { sso }: Configuration): boolean =>
  adapter === undefined || inboundSync(adapter, sso.switches) === 'full';

function traitsOf(facts: GraphFacts, groups: readonly Group[], name: string): SourceTraits {
  const { configuration } = facts;
  const source = configuration.sources[name];
  if (source === undefined) throw new Error('a source without a configuration');
  const { kind, enabled, capture } = source;
  const filters = filtersIn(configuration, name).flatMap((filter) => filter ?? []);
  const group = groups.find(({ sources }) => sources.includes(name));
  const policy = policiesOf(configuration).find((candidate) => candidate.name === group?.policy);
  return {
    kind,
    enabled,
    captures:
      enabled &&
      group !== undefined &&
      capture?.enabled === true &&
      reachesOthers(source, configuration),
    capturedForms: capture?.forms ?? [],
    // Captures of the auth source need no current password, because it would be verified there.
    needsCurrent:
      (capture?.verifyCurrent === true && group?.authSource !== name) ||
      source.adapter?.verifyOldPassword === true,
    hashOnly: facts.takesHashOnly(source),
    filtered: filters.length > 0,
    weakened:
      policy !== undefined && filters.some((filter) => weakens(filter, policy.rules) !== null),
  };
}
