import type { Application, People } from '../../model/configuration/application';
import type { Output } from '../output';
import { table } from './table';

type Applications = Readonly<Record<string, Application>>;

export const applicationTable = (output: Output, applications: Applications): string[] =>
  Object.keys(applications).length === 0
    ? ['There is no application yet. Next: lockstep applications create']
    : table(
        output,
        [
          { title: 'APPLICATION' },
          { title: 'TYPE' },
          { title: 'SOURCE' },
          { title: 'STATE' },
          { title: 'LABEL', cut: 'first' },
        ],
        Object.entries(applications).map(([name, { type, source, enabled, label }]) => [
          name,
          type,
          source,
          enabled ? 'enabled' : 'disabled',
          label ?? '',
        ]),
      );

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

const peopleText = ({ identities, groups }: People): string =>
  [...identities, ...groups.map((group) => `group ${group}`)].join(', ');

function fieldText({ name, synced, masked }: Application['fields'][number]): string {
  const traits = [...(synced ? ['synced'] : []), ...(masked ? ['masked'] : [])];
  return traits.length === 0 ? name : `${name} (${traits.join(', ')})`;
}

/** Everything that the configuration has about an application, one line per subject. */
export function applicationLines(name: string, application: Application): string[] {
  const { label, type, source, fields, tickets, users, administrators, shared } = application;
  const rows: [string, string][] = [
    ['source', source],
    ['type', type],
    ['fields', fields.map(fieldText).join(', ')],
    ['enabled', yesNo(application.enabled)],
    ['Windows-initiated', yesNo(application.windowsInitiated)],
    ['host-initiated', yesNo(application.hostInitiated)],
    ['validate password', yesNo(application.validatePassword)],
    ['tickets', tickets.allowed ? (tickets.validated ? 'validated' : 'not validated') : 'no'],
    ['credential cache', yesNo(application.credentialCache)],
    ['users', peopleText(users) || 'everyone'],
    ['administrators', peopleText(administrators) || 'none'],
    ...shared.map(({ group, identity }): [string, string] => [
      `group ${group}`,
      `uses ${identity}`,
    ]),
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  return [
    label === undefined ? name : `${name}: ${label}`,
    ...rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}`),
  ];
}
