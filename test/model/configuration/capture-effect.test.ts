import { connectorKinds } from '../../../connectors/registry';
import {
  type CaptureTraits,
  captureIssues,
  effectWarnings,
} from '../../../model/configuration/capture-effect';
import { checkConfiguration } from '../../../model/configuration/check';
import { configurationSchema } from '../../../model/configuration/document';

const traits: Readonly<Record<string, CaptureTraits>> = {
  ldap: { proof: 'login', reportsCurrent: true },
  domain: { proof: 'login', reportsCurrent: false },
  unproved: { proof: 'none', reportsCurrent: true },
};

interface Given {
  /** Kind of the captured source; `ldap` by default. */
  readonly kind?: keyof typeof traits;
  readonly capture?: object;
  /** Kind of the auth source `corp`; null: the captured source is the auth source. */
  readonly authKind?: keyof typeof traits | null;
  readonly enabled?: boolean;
  readonly othersEnabled?: boolean;
  readonly grouped?: boolean;
}

function configured(given: Given) {
  const { kind = 'ldap', capture = {}, authKind = 'ldap', grouped = true } = given;
  const { enabled = true, othersEnabled = true } = given;
  const source = (one: string, more: object = {}) => ({ kind: one, settings: {}, ...more });
  const sources = ['corp', 'apps', ...(grouped ? ['site'] : [])];
  const configuration = configurationSchema.parse({
    version: 1,
    sources: {
      corp: source(authKind ?? 'ldap', { enabled: othersEnabled }),
      apps: source('ldap', { enabled: othersEnabled }),
      site: source(kind, {
        enabled,
        capture: { enabled: true, verifyCurrent: false, ...capture },
      }),
    },
    policies: { everyone: {} },
    groups: {
      all: { policy: 'everyone', authSource: authKind === null ? 'site' : 'corp', sources },
    },
  });
  const traitsOf = (name: string) => traits[configuration.sources[name]?.kind ?? ''] ?? null;
  return {
    issues: captureIssues(configuration, traitsOf).map(
      ({ path, says }) => `${path.join('.')} ${says}`,
    ),
    warnings: effectWarnings(configuration, traitsOf),
  };
}

describe('settings under which no capture can succeed are refused', () => {
  test.each<[string, Given, RegExp]>([
    [
      'captures of a domain that must include the current password are refused',
      { kind: 'domain', capture: { verifyCurrent: true } },
      /^sources\.site\.capture\.verifyCurrent must be false: a domain does not show the current password/,
    ],
    [
      'the current password cannot be verified at an auth source that verifies nothing',
      { authKind: 'unproved', capture: { verifyCurrent: true } },
      /verifyCurrent must be false: the auth source "corp" offers no way to verify a password/,
    ],
    [
      'a hash cannot come with the current password',
      { capture: { verifyCurrent: true, forms: ['ssha512'] } },
      /verifyCurrent must be false: a source that provides only hashes/,
    ],
    [
      'SCIM cannot send the current password',
      { capture: { verifyCurrent: true, scim: { pushesRealPassword: true } } },
      /verifyCurrent must be false: SCIM cannot send/,
    ],
    [
      'a pushed password needs the form plaintext',
      { capture: { forms: ['ssha512'], scim: { pushesRealPassword: true } } },
      /capture\.forms must contain plaintext/,
    ],
    [
      'a candidate cannot be confirmed at a source that verifies nothing',
      { kind: 'unproved', capture: { confirm: true } },
      /capture\.confirm must be false/,
    ],
    [
      'a source in no group has no account to carry a password to',
      { grouped: false },
      /^sources\.site\.capture has no effect: the source is in no group/,
    ],
  ])('%s', (_title, given, expected) => {
    expect(configured(given).issues).toEqual([expect.stringMatching(expected)]);
  });

  test.each<[string, Given]>([
    [
      'captures of a domain that is the auth source need no current password',
      { kind: 'domain', authKind: null, capture: { verifyCurrent: true } },
    ],
    [
      'captures of a domain without the check of the current password are accepted',
      { kind: 'domain' },
    ],
    [
      'captures that are not enabled are not checked',
      { kind: 'domain', capture: { enabled: false, verifyCurrent: true } },
    ],
    [
      'a source that a client reports with the current password is accepted',
      { capture: { verifyCurrent: true } },
    ],
  ])('%s', (_title, given) => {
    expect(configured(given).issues).toEqual([]);
  });
});

describe('settings that have no effect now are warned about', () => {
  test.each<[string, Given, RegExp]>([
    [
      'a source that is switched off refuses its captures',
      { enabled: false },
      /site\.capture has no effect while the source is switched off/,
    ],
    [
      'captures reach no account while the other sources are switched off',
      { othersEnabled: false },
      /site\.capture reaches no other account/,
    ],
    [
      'every change is refused while the auth source is switched off',
      { othersEnabled: false },
      /^Every change of the group "all" is refused while its auth source "corp"/,
    ],
    [
      'a provider that may push random passwords is not trusted',
      { capture: { scim: {} } },
      /capture\.scim accepts no password: set pushesRealPassword/,
    ],
    [
      'the current password is sent by no agent of Lockstep',
      { capture: { verifyCurrent: true } },
      /verifyCurrent is on, so each capture has to include the current password/,
    ],
  ])('%s', (_title, given, expected) => {
    const { issues, warnings } = configured(given);
    expect(issues).toEqual([]);
    expect(warnings).toContainEqual(expect.stringMatching(expected));
  });

  test('a configuration whose captures can succeed has no warning', () => {
    expect(configured({}).warnings).toEqual([]);
  });
});

test('a domain that is not the auth source is refused with verifyCurrent, by the real kinds', () => {
  const directory = (kind: string, more: object = {}) => ({
    kind,
    settings: {
      url: 'ldaps://directory.example.com',
      bindDn: 'cn=lockstep',
      bindPassword: '${file:/run/secrets/directory}',
      base: 'dc=example,dc=com',
    },
    ...more,
  });
  const document = (verifyCurrent: boolean) => ({
    version: 1,
    sources: {
      corp: directory('ldap'),
      domain: directory('active-directory', { capture: { enabled: true, verifyCurrent } }),
    },
    policies: { everyone: {} },
    groups: { all: { policy: 'everyone', authSource: 'corp', sources: ['corp', 'domain'] } },
  });
  expect(checkConfiguration(document(true), connectorKinds)).toMatchObject({
    valid: false,
    issues: [{ path: ['sources', 'domain', 'capture', 'verifyCurrent'] }],
  });
  expect(checkConfiguration(document(false), connectorKinds).valid).toBe(true);
});
