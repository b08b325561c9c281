import type { LinkedAccount } from '../change/plan';
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

/** What the graph is made of. */
export interface GraphFacts {
  /** Of this deployment and no other; it stays. */
  readonly deploymentId: string;
  readonly deploymentName: string;
  readonly configurationVersion: number;
  readonly configuration: Configuration;
  /** Whether the source is given a hash, and never the password. */
  readonly takesHashOnly: (source: SourceConfiguration) => boolean;
}

export interface PersonFacts {
  readonly name: string;
  /** In the order in which they were linked, the primary ones first. */
  readonly accounts: readonly AccountFacts[];
}

export interface AccountFacts extends LinkedAccount {
  readonly nativeId: string | null;
  /** The newest change whose password it is known to hold; 0: none. */
  readonly appliedSeq: number;
  /** When it was last known to take a password, ISO 8601. */
  readonly lastSuccess: string | null;
  /** Applications whose stored credential is the password of this account. */
  readonly storedFor: readonly string[];
}

/** An API key in use. */
export interface KeyFacts {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Null: every group. */
  readonly groups: readonly string[] | null;
  /** The source whose captures it brings, and those of no other; null: it is no relay. */
  readonly relayOf: string | null;
}

/** The facts, and what follows from the configuration alone. */
export interface GraphView extends Place {
  readonly facts: GraphFacts;
  readonly sources: readonly Source[];
  readonly groups: readonly Group[];
  /** Groups with the same auth source: one change of a person covers them together. */
  readonly clusters: readonly (readonly Group[])[];
  readonly traits: ReadonlyMap<string, SourceTraits>;
}

/** What an attacker makes of a source. */
export interface SourceTraits {
  readonly kind: string;
  readonly enabled: boolean;
  /** A password that is changed there is carried to the others. */
  readonly captures: boolean;
  /** In plaintext, or as hashes of these schemes. */
  readonly capturedForms: readonly string[];
  /** Whoever captures has to bring the password before. */
  readonly needsCurrent: boolean;
  readonly hashOnly: boolean;
  /** It gets something that is derived from the password. */
  readonly filtered: boolean;
  /** What it gets is weaker than the policy of its group asks for. */
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

function traitsOf(facts: GraphFacts, groups: readonly Group[], name: string): SourceTraits {
  const { configuration } = facts;
  const source = configuration.sources[name];
  if (source === undefined) throw new Error('a source without a configuration');
  const { kind, enabled, capture, passwordFilter: filter } = source;
  const own = groups.find(({ sources }) => sources.includes(name));
  const policy = policiesOf(configuration).find((one) => one.name === own?.policy);
  return {
    kind,
    enabled,
    captures: enabled && own !== undefined && capture?.enabled === true,
    // The auth source is believed: it holds what everybody is asked for.
    capturedForms: capture?.forms ?? [],
    needsCurrent: capture?.verifyCurrent === true && own?.authSource !== name,
    hashOnly: facts.takesHashOnly(source),
    filtered: filter !== undefined,
    weakened:
      filter !== undefined && policy !== undefined && weakens(filter, policy.rules) !== null,
  };
}
