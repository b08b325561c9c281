import type { Configuration, ConfigurationIssue, SourceConfiguration } from './document';
import { groupsFrom, groupsOf } from './document';

/**
 * The settings under which no capture of a source can have an effect. A rule refuses the configuration when every capture
 * would fail whatever people and agents do. It warns when the effect depends on a switch that an operator may have set
 * for a while, or on the agent that sends the captures.
 */

/** The traits of a kind that decide whether a capture can succeed. */
export interface CaptureTraits {
  readonly proof: 'login' | 'hash' | 'none';
  /** Whether a capture of this kind of source can include the current password. */
  readonly reportsCurrent: boolean;
}
/** Returns null for a source that does not exist or whose settings are not valid. */
export type CaptureTraitsOf = (source: string) => CaptureTraits | null;

interface Facts {
  readonly source: string;
  readonly enabled: boolean;
  readonly capture: NonNullable<SourceConfiguration['capture']>;
  readonly traits: CaptureTraits | null;
  /** The auth source of the first group of the source; null when the source is in no group. */
  readonly auth: string | null;
  readonly authTraits: CaptureTraits | null;
  /** True when each capture has to include the current password, which is verified at another source. */
  readonly checksCurrent: boolean;
  /** True when another source of the groups is switched on, or the source may hold other accounts of the person. */
  readonly reachesOthers: boolean;
}

interface EffectRule {
  readonly verdict: 'refused' | 'warning';
  /** The member of `capture` that the rule is about; null for `capture` itself. */
  readonly member: 'verifyCurrent' | 'confirm' | 'forms' | 'scim' | null;
  /** Returns false, or what is wrong and what to do, as a text that continues the path of the member. */
  readonly broken: (facts: Facts) => string | false;
}

const rules: readonly EffectRule[] = [
  {
    verdict: 'refused',
    member: null,
    broken: ({ auth }) =>
      auth === null &&
      'has no effect: the source is in no group, so every capture is ignored. Add it to a group, or remove capture',
  },
  {
    verdict: 'refused',
    member: 'verifyCurrent',
    broken: ({ capture, checksCurrent }) =>
      capture.scim !== undefined &&
      checksCurrent &&
      'must be false: SCIM cannot send the current password. Note that every holder of the API key of the provider can then set passwords of the whole group',
  },
  {
    verdict: 'refused',
    member: 'verifyCurrent',
    broken: ({ capture, checksCurrent }) =>
      capture.forms.some((form) => form !== 'plaintext') &&
      checksCurrent &&
      'must be false: a source that provides only hashes cannot send the current password',
  },
  {
    verdict: 'refused',
    member: 'verifyCurrent',
    broken: ({ checksCurrent, traits, auth }) =>
      checksCurrent &&
      traits?.reportsCurrent === false &&
      `must be false: a domain does not show the current password to a capture agent, so every capture would be refused. Only captures of the auth source ("${auth}") need none. Note that a password that is changed in this source then sets those of the whole group`,
  },
  {
    verdict: 'refused',
    member: 'verifyCurrent',
    broken: ({ checksCurrent, authTraits, auth }) =>
      checksCurrent &&
      authTraits?.proof === 'none' &&
      `must be false: the auth source "${auth}" offers no way to verify a password, so the change of every capture would be refused`,
  },
  {
    verdict: 'refused',
    member: 'confirm',
    broken: ({ capture, traits }) =>
      capture.confirm &&
      traits?.proof === 'none' &&
      'must be false: this source offers no way to verify a password, so no capture would ever be confirmed',
  },
  {
    verdict: 'refused',
    member: 'forms',
    broken: ({ capture }) =>
      capture.scim !== undefined &&
      !capture.forms.includes('plaintext') &&
      'must contain plaintext: an identity provider pushes passwords in plaintext, so every one would be refused',
  },
  {
    verdict: 'warning',
    member: null,
    broken: ({ enabled }) =>
      !enabled &&
      'has no effect while the source is switched off (enabled: false): every capture is refused',
  },
  {
    verdict: 'warning',
    member: null,
    broken: ({ auth, reachesOthers }) =>
      auth !== null &&
      !reachesOthers &&
      'reaches no other account: no other source of its groups is switched on',
  },
  {
    verdict: 'warning',
    member: 'scim',
    broken: ({ capture }) =>
      capture.scim?.pushesRealPassword === false &&
      'accepts no password: set pushesRealPassword once the provider is set to push the real password of the person',
  },
  {
    verdict: 'warning',
    member: 'verifyCurrent',
    broken: ({ capture, checksCurrent, traits, authTraits }) =>
      checksCurrent &&
      capture.scim === undefined &&
      traits?.reportsCurrent === true &&
      authTraits?.proof !== 'none' &&
      'is on, so each capture has to include the current password. No agent or relay of Lockstep sends it, only a client of POST /v1/captures can. Set it to false if such an agent captures this source',
  },
];

type Sources = Pick<Configuration, 'sources' | 'groups'>;

/** The issues of captures that can never succeed. The configuration is refused for them. */
export const captureIssues = (
  configuration: Sources,
  traitsOf: CaptureTraitsOf,
): ConfigurationIssue[] => found('refused', configuration, traitsOf);

/** Warnings about a valid configuration, as sentences for `lockstep plan`. */
export const effectWarnings = (configuration: Sources, traitsOf: CaptureTraitsOf): string[] => [
  ...found('warning', configuration, traitsOf).map(
    ({ path, says }) => `${path.join('.')} ${says}.`,
  ),
  ...groupsOf(configuration)
    .filter(({ authSource }) => configuration.sources[authSource]?.enabled === false)
    .map(
      ({ name, authSource }) =>
        `Every change of the group "${name}" is refused while its auth source "${authSource}" is switched off.`,
    ),
];

/** The first broken rule of this verdict for each member of `capture`, so that one mistake is reported once. */
const found = (
  verdict: EffectRule['verdict'],
  configuration: Sources,
  traitsOf: CaptureTraitsOf,
): ConfigurationIssue[] =>
  factsOf(configuration, traitsOf).flatMap((facts) => {
    const broken = new Map<EffectRule['member'], string>();
    for (const rule of rules) {
      const says = rule.verdict === verdict && !broken.has(rule.member) && rule.broken(facts);
      if (says !== false) broken.set(rule.member, says);
    }
    return [...broken].map(([member, says]) => ({
      path: ['sources', facts.source, 'capture', ...(member === null ? [] : [member])],
      says,
    }));
  });

function factsOf(configuration: Sources, traitsOf: CaptureTraitsOf): Facts[] {
  return Object.entries(configuration.sources).flatMap(
    ([source, { capture, enabled, multipleAccountPasswordSync }]) => {
      if (capture?.enabled !== true) return [];
      const groups = groupsFrom(configuration, source);
      const auth = groups[0]?.authSource ?? null;
      const others = groups
        .flatMap((group) => [group.authSource, ...group.sources])
        .filter((name) => name !== source && configuration.sources[name]?.enabled === true);
      return [
        {
          source,
          enabled,
          capture,
          traits: traitsOf(source),
          auth,
          authTraits: auth === null ? null : traitsOf(auth),
          checksCurrent: capture.verifyCurrent && auth !== null && auth !== source,
          reachesOthers: others.length > 0 || multipleAccountPasswordSync,
        },
      ];
    },
  );
}
