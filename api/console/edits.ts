import { ADAPTERS, adapterAddress } from '../../console/desk/adapters';
import type { Command } from '../../console/desk/edit';
import {
  adapterProperties,
  adapterProperty,
  PULL_KIND,
  pullSettings,
} from '../../model/adapters/settings';
import type { Switches } from '../../model/configuration/adapter';
import { syncDirections } from '../../model/configuration/adapter-directions';
import {
  adapterFlags,
  adapterNamed,
  adaptersIn,
  type NamedAdapter,
  withEnabled,
  withMembers,
  withNewAdapter,
  withoutAdapter,
  withProperties,
} from '../../model/configuration/adapter-edits';
import {
  applicationNamed,
  type Configuration,
  sourceNamed,
} from '../../model/configuration/document';
import { HttpProblem } from '../http/problem';

/** An edit of the configuration in force, as a form of a page names it. */
export interface Edit {
  readonly title: string;
  readonly commands: readonly Command[];
  readonly back: string;
  readonly document: Configuration;
}

/** Reads a field of the form; empty if it is missing. */
type Field = (name: string) => string;
type Editor = (configuration: Configuration, field: Field) => Edit;

/** @throws HttpProblem `not_found` if the edit, or what it names, does not exist */
export function editOf(configuration: Configuration, field: Field): Edit {
  const edit = field('edit');
  const editor = Object.hasOwn(editors, edit) ? editors[edit] : undefined;
  if (editor === undefined) throw new HttpProblem('not_found');
  return editor(configuration, field);
}

const switchAdapter =
  (verb: 'enable' | 'disable'): Editor =>
  (configuration, field) => {
    const adapter = existing(configuration, field('name'));
    return {
      title: `${titles[verb]} the adapter ${adapter.name}`,
      commands: [[`lockstep adapters ${verb}`, adapter.name]],
      back: adapterAddress(adapter.name),
      document: withEnabled(configuration, [adapter], verb === 'enable'),
    };
  };

const titles = { enable: 'Enable', disable: 'Disable' } as const;

const switchGroup =
  (verb: 'enable' | 'disable'): Editor =>
  (configuration, field) => {
    const group = field('group');
    const members = adaptersIn(configuration).filter(
      ({ adapter }) => adapter.adapterGroup === group,
    );
    if (members.length === 0) throw new HttpProblem('not_found');
    return {
      title: `${titles[verb]} the adapters of ${group}`,
      commands: [[`lockstep adapters ${verb} --group`, group]],
      back: ADAPTERS,
      document: withEnabled(configuration, members, verb === 'enable'),
    };
  };

const switchApplication =
  (verb: 'enable' | 'disable'): Editor =>
  (configuration, field) => {
    const name = field('name');
    const application = applicationNamed(configuration, name);
    if (application === undefined) throw new HttpProblem('not_found');
    const enabled = verb === 'enable';
    const applications = { ...configuration.applications, [name]: { ...application, enabled } };
    return {
      title: `${titles[verb]} the application ${name}`,
      commands: [[`lockstep applications update ${name} --set enabled=${yesNo(enabled)}`]],
      back: '/console/applications',
      document: { ...configuration, applications },
    };
  };

const yesNo = (value: boolean): 'yes' | 'no' => (value ? 'yes' : 'no');

const setSwitches: Editor = (configuration, field) => {
  const { sso } = configuration;
  const wanted = Object.fromEntries(
    syncDirections.map((direction) => [direction, field(direction) === 'yes']),
  ) as Switches;
  const changed = syncDirections.filter(
    (direction) => wanted[direction] !== sso.switches[direction],
  );
  const options = changed.map((name) => ` --set ${name}=${wanted[name] ? 'on' : 'off'}`);
  return {
    title: 'Set the directions for all adapters',
    commands: changed.length === 0 ? [] : [[`lockstep sso switches${options.join('')}`]],
    back: ADAPTERS,
    document: { ...configuration, sso: { ...sso, switches: wanted } },
  };
};

const setFlags: Editor = (configuration, field) => {
  const named = existing(configuration, field('name'));
  const { name, adapter } = named;
  const wanted = Object.fromEntries(adapterFlags.map((flag) => [flag, field(flag) === 'yes']));
  const group = field('adapterGroup').trim();
  const own = applicationsOf(configuration, name);
  const served = own.filter((application) => field(`application:${application}`) === 'yes');
  const flags = adapterFlags.filter((flag) => wanted[flag] !== adapter[flag]);
  const set = flags.map((flag) => ` --set ${flag}=${yesNo(wanted[flag] === true)}`);
  const commands: Command[] = [
    ...(set.length === 0 ? [] : [[`lockstep adapters update ${name}${set.join('')}`] as const]),
    ...served
      .filter((application) => !adapter.applications.includes(application))
      .map((application) => ['lockstep adapters add-app', name, application] as const),
    ...adapter.applications
      .filter((application) => !served.includes(application))
      .map((application) => ['lockstep adapters remove-app', application] as const),
    ...(group === (adapter.adapterGroup ?? '')
      ? []
      : [[`lockstep adapters group ${name}`, group === '' ? '--none' : group] as const]),
  ];
  const members = { ...wanted, applications: served, adapterGroup: group === '' ? null : group };
  return {
    title: `Change the adapter ${name}`,
    commands,
    back: adapterAddress(name),
    document: withMembers(configuration, named, members),
  };
};

/** The names of the applications of a source. */
export const applicationsOf = (configuration: Configuration, source: string): string[] =>
  Object.entries(configuration.applications)
    .filter(([, application]) => application.source === source)
    .map(([name]) => name);

const setProperties: Editor = (configuration, field) => {
  const named = existing(configuration, field('name'));
  const { name, source } = named;
  if (source.kind !== PULL_KIND) throw new HttpProblem('not_found');
  const current = pullSettings.parse(source.settings);
  const changed = adapterProperties
    .map((property) => [property, field(property).trim()] as const)
    .filter(([property, text]) => adapterProperty(text) !== current[property]);
  const properties = Object.fromEntries(
    changed.map(([property, text]) => [property, adapterProperty(text)]),
  );
  const set = changed.map(([property, text]) => ` --set ${property}=${text || 'default'}`);
  return {
    title: `Change the properties of ${name}`,
    commands: set.length === 0 ? [] : [[`lockstep adapters set-props ${name}${set.join('')}`]],
    back: adapterAddress(name),
    document: withProperties(configuration, named, properties),
  };
};

const create: Editor = (configuration, field) => {
  const name = field('name');
  const source = sourceNamed(configuration, name);
  if (source === undefined || source.adapter !== undefined) throw new HttpProblem('not_found');
  const applications = applicationsOf(configuration, name);
  const option = applications.length === 0 ? '' : ` --application ${applications.join(',')}`;
  return {
    title: `Make ${name} an adapter`,
    commands: [[`lockstep adapters create ${name}${option}`]],
    back: ADAPTERS,
    document: withNewAdapter(configuration, name, source, { applications }),
  };
};

const remove: Editor = (configuration, field) => {
  const adapter = existing(configuration, field('name'));
  return {
    title: `Delete the adapter ${adapter.name}`,
    commands: [['lockstep adapters delete', adapter.name]],
    back: ADAPTERS,
    document: withoutAdapter(configuration, adapter),
  };
};

function existing(configuration: Configuration, name: string): NamedAdapter {
  const found = adapterNamed(configuration, name);
  if (found === undefined) throw new HttpProblem('not_found');
  return found;
}

const editors: Readonly<Record<string, Editor>> = {
  'adapter-enable': switchAdapter('enable'),
  'adapter-disable': switchAdapter('disable'),
  'group-enable': switchGroup('enable'),
  'group-disable': switchGroup('disable'),
  'application-enable': switchApplication('enable'),
  'application-disable': switchApplication('disable'),
  switches: setSwitches,
  flags: setFlags,
  properties: setProperties,
  create,
  delete: remove,
};
