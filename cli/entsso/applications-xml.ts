import type { Configuration } from '../../model/configuration/document';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { fieldsOf } from './fields-xml';
import { flagsOf, isSet, type Note } from './flags-xml';
import { lockstepName, withoutDomain } from './names';
import { type Element, readEntssoXml, textOf } from './read-xml';
import type { Becomes } from './translation';

type Document = Record<string, unknown>;
type InForce = Pick<Configuration, 'applications' | 'peopleGroups'>;

interface Imported {
  /** The applications in the shape of the configuration file, by name. */
  readonly applications: Document;
  /** Groups of people that the applications name, without members. */
  readonly peopleGroups: Document;
  readonly becomes: readonly Becomes[];
}

/**
 * Reads the file of `ssomanage -createapps`.
 * @param sourceOf the source of an application, by its name in Lockstep or in the file
 */
export function readApplicationsXml(
  file: string,
  inForce: InForce,
  sourceOf: (name: string, original: string) => string | undefined,
): Imported {
  const becomes: Becomes[] = [];
  const applications: Document = {};
  const peopleGroups: Document = {};
  const groupNamed = createGroupNames(file);
  const elements = readEntssoXml(file);
  if (!elements.some(({ name }) => name === 'application'))
    throw usage(`${file} has no application. Nothing was sent.`);
  for (const element of elements) {
    const skipped = (from: string, says: string) =>
      becomes.push({ line: element.line, from, to: null, says });
    if (element.name !== 'application') {
      skipped(element.name, 'It is not an application.');
      continue;
    }
    const original = element.attributes.name ?? '';
    const name = lockstepName(original);
    if (name === null)
      throw usage(`The application in line ${element.line} of ${file} has no usable name.`);
    const skip = Object.hasOwn(applications, name)
      ? `Another application of the file is called "${name}" here, too. Rename one of them.`
      : whySkipped(file, element, name, inForce);
    if (skip !== null) {
      skipped(original, skip);
      continue;
    }
    const source = sourceOf(name, original);
    if (source === undefined)
      throw usage(
        `Give the source of the application "${withoutControls(original)}": --source ${name}=<source>, or --source <source> for every application.`,
      );
    becomes.push({
      line: element.line,
      from: original,
      to: `applications.${name}`,
      says: null,
    });
    const note: Note = (from, to, says) =>
      becomes.push({ line: element.line, from: `${original}: ${from}`, to, says: says ?? null });
    applications[name] = {
      source,
      label: (textOf(file, element, 'description') ?? original).slice(0, 200),
      ...withFields(file, element),
      ...flagsOf(file, element, note),
      ...peopleOf(file, element, name, note, (account, otherwise) => {
        const group = groupNamed(account, element.line, otherwise);
        const exists = Object.hasOwn(inForce.peopleGroups, group);
        if (!exists) peopleGroups[group] = {};
        return { group, exists };
      }),
    };
    if (textOf(file, element, 'contact') !== undefined)
      note('contact', null, 'Lockstep keeps no contact of an application.');
    for (const unknown of element.children.filter((child) => !knownElements.includes(child.name)))
      note(unknown.name, null, 'Lockstep does not know this element.');
  }
  return { applications, peopleGroups, becomes };
}

const knownElements = [
  ...['description', 'contact', 'field', 'flags'],
  ...['appuseraccount', 'usergroup', 'windowsaccount', 'appadminaccount'],
];

/** Why an application is not created; null if it is. */
function whySkipped(
  file: string,
  element: Element,
  name: string,
  { applications }: InForce,
): string | null {
  if (Object.hasOwn(applications, name))
    return `There is an application "${name}" already, which stays as it is. Change it with "lockstep applications update".`;
  if (isSet(file, element, 'configstoreapp'))
    return 'A configuration store holds settings of programs, and no credentials of people.';
  if (isSet(file, element, 'groupapp'))
    return 'An application of the type group needs the list "shared". Add it to the configuration file.';
  const fields = fieldsOf(file, element);
  return typeof fields === 'string' ? fields : null;
}

function withFields(file: string, element: Element): object {
  const fields = fieldsOf(file, element);
  return fields.length === 0 ? {} : { fields };
}

/** @param otherwise the name of the group when the file has none, or one that is not usable */
type GroupOf = (
  account: string | null,
  otherwise: string,
) => { readonly group: string; readonly exists: boolean };

/**
 * The people of an application, and with `windowsAccount` its type: the accounts of a host group belong to one person,
 * and only they begin. An application without users is for no one, because an empty list would be everyone.
 */
function peopleOf(
  file: string,
  element: Element,
  application: string,
  note: Note,
  groupOf: GroupOf,
): object {
  const inGroup = (member: string, account: string | null) => {
    const otherwise = `${application.slice(0, 25)}-${member}`;
    const { group, exists } = groupOf(account, otherwise);
    note(
      account ?? `no ${member}`,
      `peopleGroups.${group}`,
      exists
        ? 'The group exists: its members count.'
        : 'Its members are not in the file: list them there.',
    );
    return { [member]: { groups: [group] } };
  };
  const users = textOf(file, element, 'appuseraccount', 'usergroup') ?? null;
  const administrators = textOf(file, element, 'appadminaccount');
  const windowsAccount = textOf(file, element, 'windowsaccount');
  const administered =
    administrators === undefined ? {} : inGroup('administrators', administrators);
  if (windowsAccount === undefined) return { ...inGroup('users', users), ...administered };
  const person = withoutDomain(windowsAccount);
  note(windowsAccount, `applications.${application}.users`, 'Its accounts belong to this person.');
  return {
    ...{ type: 'host-group', windowsInitiated: false, hostInitiated: true },
    ...{ users: { identities: [person] }, ...administered },
  };
}

/**
 * Names groups of people. The domain is not part of a name, so two groups may have the same one.
 * @throws Failure for the second of them: its members would get the rights of the other group
 */
function createGroupNames(file: string) {
  const accounts = new Map<string, string>();
  return (account: string | null, line: number, otherwise: string): string => {
    const named = account === null ? null : lockstepName(withoutDomain(account));
    const group = named ?? otherwise;
    const whole = (account ?? otherwise).toLowerCase();
    const before = accounts.get(group) ?? whole;
    if (before !== whole)
      throw usage(
        `Line ${line} of ${file} names "${withoutControls(account ?? whole)}", and another line "${withoutControls(before)}": both would be the group "${group}". Rename one of them. Nothing was sent.`,
      );
    accounts.set(group, whole);
    return group;
  };
}
