import {
  AndFilter,
  type Entry,
  EqualityFilter,
  type Filter,
  OrFilter,
  PresenceFilter,
} from 'ldapts';
import { asksNothing, type TargetPolicy } from '../../model/policy/target-policy';
import type { Finding } from '../contract';
import { search, textOf } from './accounts';
import { isWithin } from './dn';
import { ok, warning } from './findings';
import type { Link, Reply } from './link';
import { serverOf } from './server';
import type { LdapSettings } from './settings';

/** Reads the password policies of the directory, as far as the service account may read them. */
export async function readPolicies(
  link: Link,
  base: string,
): Promise<Reply<readonly TargetPolicy[]>> {
  const { overlay, ds389 } = await policyEntries(link, base);
  return {
    ok: true,
    value: [...overlay.map(policyOfOverlay), ...ds389.flatMap((entry) => policyOf389(entry) ?? [])],
  };
}

/** Returns the findings of `lockstep doctor` about the password policies. */
export async function policyFindings(
  link: Link,
  { base, bindDn, hashes }: LdapSettings,
): Promise<readonly Finding[]> {
  const { overlay, ds389 } = await policyEntries(link, base);
  const findings = overlay.map((policy) => overlayFinding(policy, hashes.length > 0));
  for (const entry of ds389) {
    const policy = policyOf389(entry);
    if (policy === null) continue;
    if (textOf(entry, 'passwordTrackUpdateTime') === 'off')
      findings.push(
        warning(
          'time-of-change',
          `${policy.name} does not record when a password was changed (passwordTrackUpdateTime), so Lockstep cannot detect changes made there. Set passwordTrackUpdateTime to on.`,
        ),
      );
    findings.push(
      textOf(entry, 'passwordMustChange') === 'on' && (await isAdministrator(link, entry, bindDn))
        ? warning(
            'policy',
            `${policy.name} forces a change after a write by a password administrator (passwordMustChange), and ${bindDn} is one. Remove ${bindDn} from passwordAdminDN, and give it an aci on userPassword instead.`,
          )
        : ok(
            'policy',
            `${policy.name}: length ${policy.minLength} or more, history ${policy.history}, minimum age ${policy.minAgeSeconds} s (0 means no rule).`,
          ),
    );
  }
  return findings.length > 0
    ? findings
    : [
        {
          check: 'policy',
          verdict: 'skipped',
          says: 'The service account can read no password policy.',
        },
      ];
}

interface PolicyEntries {
  /** Policies of slapo-ppolicy in the naming context of the accounts. */
  readonly overlay: readonly Entry[];
  /** Policies of 389 Directory Server: that of its configuration, and those of subtrees and accounts. */
  readonly ds389: readonly Entry[];
}

/** Reads the policies of slapo-ppolicy in the naming context of an entry. */
export const overlayPolicies = async (link: Link, dn: string): Promise<readonly Entry[]> =>
  below(link, dn, isA('pwdPolicy'), overlayAttributes);

/** Searches the naming context of an entry. */
async function below(
  link: Link,
  dn: string,
  filter: Filter,
  attributes: string[],
): Promise<readonly Entry[]> {
  const { namingContexts } = await serverOf(link);
  const context = namingContexts
    .filter((suffix) => isWithin(dn, suffix))
    .sort((one, other) => other.length - one.length)[0];
  if (context === undefined) return [];
  const reply = await search(link, context, { filter, attributes });
  return reply.ok ? reply.value : [];
}

async function policyEntries(link: Link, base: string): Promise<PolicyEntries> {
  const config = await search(link, CONFIG, {
    scope: 'base',
    // An account that may read only the policy attributes may not search by objectClass.
    filter: new PresenceFilter({ attribute: 'passwordCheckSyntax' }),
    attributes: ds389Attributes,
  });
  return {
    overlay: await overlayPolicies(link, base),
    ds389: [
      ...(config.ok ? config.value : []),
      // The server returns subentries only to a filter that names ldapSubEntry.
      ...(await below(
        link,
        base,
        new AndFilter({ filters: [isA('ldapSubEntry'), isA('passwordPolicy')] }),
        ds389Attributes,
      )),
    ],
  };
}

const isA = (value: string) => new EqualityFilter({ attribute: 'objectClass', value });

export const numberOf = (entry: Entry, attribute: string, fallback = 0): number => {
  const text = textOf(entry, attribute);
  return text === null ? fallback : Number(text);
};

const overlayAttributes = [
  'pwdCheckQuality',
  'pwdMinLength',
  'pwdMaxLength',
  'pwdInHistory',
  'pwdMinAge',
  'pwdMustChange',
  'pwdSafeModify',
];

/** Translates a policy of slapo-ppolicy(5). Its lengths are in bytes, and apply only if pwdCheckQuality is not 0. */
function policyOfOverlay(entry: Entry): TargetPolicy {
  const checked = numberOf(entry, 'pwdCheckQuality') > 0;
  const most = numberOf(entry, 'pwdMaxLength');
  return {
    ...asksNothing,
    name: entry.dn,
    countsBytes: true,
    minLength: checked ? numberOf(entry, 'pwdMinLength') : 0,
    maxLength: checked && most > 0 ? most : null,
    history: numberOf(entry, 'pwdInHistory'),
    minAgeSeconds: numberOf(entry, 'pwdMinAge'),
  };
}

function overlayFinding(policy: Entry, writesHashes: boolean): Finding {
  const settingOf = (attribute: string) => textOf(policy, attribute) ?? '0';
  if (settingOf('pwdSafeModify') === 'TRUE')
    return warning(
      'policy',
      `${policy.dn} requires the old password with each change (pwdSafeModify), so Lockstep can write no password to accounts under it. Set pwdSafeModify to FALSE.`,
    );
  if (writesHashes && settingOf('pwdCheckQuality') === '2')
    return warning(
      'policy',
      `${policy.dn} rejects hashes, because it cannot check their quality (pwdCheckQuality 2), unless the service account may manage userPassword. Set pwdCheckQuality to 1, or remove hashes from the settings.`,
    );
  if (settingOf('pwdMustChange') === 'TRUE')
    return warning(
      'policy',
      `${policy.dn} forces a change after a write by an account that may manage userPassword (pwdMustChange). Lockstep undoes that with a further request. To avoid it, give the service account "=cw" instead of "manage".`,
    );
  return ok(
    'policy',
    `${policy.dn}: length ${settingOf('pwdMinLength')} to ${settingOf('pwdMaxLength')} bytes, history ${settingOf('pwdInHistory')}, minimum age ${settingOf('pwdMinAge')} s (0 means no rule).`,
  );
}

const ds389Attributes = [
  'passwordCheckSyntax',
  'passwordMinLength',
  'passwordMinAlphas',
  'passwordMinUppers',
  'passwordMinLowers',
  'passwordMinDigits',
  'passwordMinSpecials',
  'passwordMinCategories',
  'passwordMaxRepeats',
  'passwordHistory',
  'passwordInHistory',
  'passwordMinAge',
  'passwordMustChange',
  'passwordAdminDN',
  'passwordTrackUpdateTime',
];

const CONFIG = 'cn=config';

/**
 * Translates a policy of 389 Directory Server. Source: its "Core server configuration attributes".
 * @returns null if the entry belongs to another kind of server, or may not be read
 */
export function policyOf389(entry: Entry): TargetPolicy | null {
  const checked = textOf(entry, 'passwordCheckSyntax');
  const ofServer = entry.dn.toLowerCase() === CONFIG;
  if (ofServer && checked === null) return null;
  const name = ofServer ? 'the server' : entry.dn;
  const minAgeSeconds = numberOf(entry, 'passwordMinAge');
  const remembers = textOf(entry, 'passwordHistory') === 'on';
  const history = remembers ? numberOf(entry, 'passwordInHistory', 6) : 0;
  const policy = { ...asksNothing, name, history, minAgeSeconds };
  if (checked !== 'on') return policy;
  return {
    ...policy,
    minLength: numberOf(entry, 'passwordMinLength', 8),
    minAlpha: numberOf(entry, 'passwordMinAlphas'),
    minUpper: numberOf(entry, 'passwordMinUppers'),
    minLower: numberOf(entry, 'passwordMinLowers'),
    minNumeric: numberOf(entry, 'passwordMinDigits'),
    minSpecial: numberOf(entry, 'passwordMinSpecials'),
    minCharacterTypes: numberOf(entry, 'passwordMinCategories', 3),
    maxRepeatedChars: numberOf(entry, 'passwordMaxRepeats'),
  };
}

/** Whether the service account is a password administrator. `passwordAdminDN` names an account or a group of accounts. */
async function isAdministrator(link: Link, policy: Entry, bindDn: string): Promise<boolean> {
  const administrators = textOf(policy, 'passwordAdminDN') ?? '';
  if (administrators === '') return false;
  if (administrators.toLowerCase() === bindDn.toLowerCase()) return true;
  const filters = ['member', 'uniqueMember'].map(
    (attribute) => new EqualityFilter({ attribute, value: bindDn }),
  );
  const filter = new OrFilter({ filters });
  const reply = await search(link, administrators, { scope: 'base', filter, attributes: ['1.1'] });
  return reply.ok && reply.value.length > 0;
}
