import { usage } from '../failure';
import { type Element, readEntssoXml, textOf } from './read-xml';
import type { Becomes } from './translation';

/** The minutes of `globalInfo`, and where they are in the section `sso` of the configuration. */
const numbers: Readonly<Record<string, { readonly member: string; readonly factor: number }>> = {
  tickettimeout: { member: 'ticketTimeoutSeconds', factor: 60 },
  credcachetimeout: { member: 'credentialCacheMinutes', factor: 1 },
};

/** What has no counterpart, with the reason. */
const reasons: Readonly<Record<string, string>> = {
  ssoadminaccount: 'Give these people API keys with the scope admin.',
  ssoaffiliateadminaccount: 'Give these people API keys with the scope configure.',
  secretserver: 'The worker holds the master key; see "lockstep sso secret status".',
  auditdeletedapps: 'The audit keeps every record.',
  auditdeletedmappings: 'The audit keeps every record.',
  auditcredentiallookups: 'The audit keeps every record.',
};

/** One page of the vendor has the second spelling. */
const isGlobalInfo = ({ name }: Element): boolean => ['globalinfo', 'globalnfo'].includes(name);

/** Reads the file of `ssomanage -updatedb`. @returns the members of the section `sso` that it sets */
export function readSystemXml(file: string): {
  readonly sso: Readonly<Record<string, number>>;
  readonly becomes: readonly Becomes[];
} {
  const sso: Record<string, number> = {};
  const becomes: Becomes[] = [];
  const elements = readEntssoXml(file);
  if (!elements.some(isGlobalInfo)) throw usage(`${file} has no "globalInfo". Nothing was sent.`);
  for (const element of elements) {
    if (!isGlobalInfo(element)) {
      const says = 'It is not "globalInfo".';
      becomes.push({ line: element.line, from: element.name, to: null, says });
      continue;
    }
    for (const { name, line } of element.children) {
      const text = textOf(file, element, name) ?? '';
      const number = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
      if (number === undefined) {
        const says = Object.hasOwn(reasons, name) ? reasons[name] : undefined;
        becomes.push({ line, from: name, to: null, says: says ?? 'Lockstep does not know this.' });
        continue;
      }
      if (!/^\d{1,6}$/.test(text))
        throw usage(`Line ${line} of ${file} has no whole number of minutes. Nothing was changed.`);
      sso[number.member] = Number(text) * number.factor;
      const to = `sso.${number.member} = ${sso[number.member]}`;
      becomes.push({ line, from: name, to, says: null });
    }
  }
  return { sso, becomes };
}
