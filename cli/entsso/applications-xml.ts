import type { Configuration } from '../../model/configuration/document';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { lockstepName, withoutDomain } from './names';
import { type Element, readEntssoXml, textOf } from './read-xml';
import type { Becomes } from './translation';

type Document = Record<string, unknown>;

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
  inForce: Pick<Configuration, 'applications' | 'peopleGroups'>,
  sourceOf: (name: string, original: string) => string | undefined,
): Imported {
  const becomes: Becomes[] = [];
  const applications: Document = {};
  const peopleGroups: Document = {};
  for (const element of readEntssoXml(file)) {
    if (element.name !== 'application') {
      becomes.push(without(element, element.name, 'It is not an application.'));
      continue;
    }
    const original = element.attributes.name ?? '';
    const name = lockstepName(original);
    if (name === null)
      throw usage(`The application in line ${element.line} of ${file} has no usable name.`);
    const skip = whySkipped(element, name, { ...inForce.applications, ...applications });
    if (skip !== null) {
      becomes.push(without(element, original, skip));
      continue;
    }
    const source = sourceOf(name, original);
    if (source === undefined)
      throw usage(
        `Give the source of the application "${withoutControls(original)}": --source ${name}=<source>, or --source <source> for every application.`,
      );
    const translated = translate(file, element, { name, original, source });
    applications[name] = translated.application;
    for (const group of translated.groups)
      if (!Object.hasOwn(inForce.peopleGroups, group)) peopleGroups[group] = {};
    becomes.push(...translated.becomes);
  }
  return { applications, peopleGroups, becomes };
}

const without = ({ line }: Element, from: string, says: string): Becomes => ({
  line,
  from,
  to: null,
  says,
});

const attributesOf = (element: Element): Readonly<Record<string, string>> =>
  Object.assign(
    {},
    ...element.children.filter(({ name }) => name === 'flags').map(({ attributes }) => attributes),
  );

const isYes = (value: string | undefined): boolean => value?.toLowerCase() === 'yes';

/** Why an application is not created; null if it is. */
function whySkipped(element: Element, name: string, existing: Document): string | null {
  const flags = attributesOf(element);
  if (Object.hasOwn(existing, name))
    return `There is an application "${name}" already, which stays as it is. Change it with "lockstep applications update".`;
  if (isYes(flags.configstoreapp))
    return 'A configuration store holds settings of programs, and no credentials of people.';
  if (isYes(flags.groupapp))
    return 'An application of the type group needs the list "shared". Add it to the configuration file.';
  const fields = fieldsOf(element);
  if (fields.length > 2 && fields.filter(({ masked }) => masked).length !== 1)
    return 'It is not clear which field holds the password. Create it with "lockstep applications create --field … --synced …".';
  return null;
}

interface Named {
  readonly name: string;
  readonly original: string;
  readonly source: string;
}

function translate(file: string, element: Element, { name, original, source }: Named) {
  const becomes: Becomes[] = [];
  const at = `applications.${name}`;
  const note = (from: string, to: string | null, says: string | null = null) =>
    becomes.push({ line: element.line, from: `${original}: ${from}`, to, says });
  becomes.push({ line: element.line, from: original, to: at, says: null });
  const groups: string[] = [];
  const peopleOf = (member: 'users' | 'administrators', ...elements: string[]) => {
    const account = textOf(file, element, ...elements);
    const group = account === undefined ? null : lockstepName(withoutDomain(account));
    if (account === undefined || group === null) return {};
    groups.push(group);
    note(account, `peopleGroups.${group}`, 'Its members are not in the file: list them there.');
    return { [member]: { groups: [group] } };
  };
  const description = textOf(file, element, 'description');
  const fields = fieldsOf(element);
  if (textOf(file, element, 'contact') !== undefined)
    note('contact', null, 'Lockstep keeps no contact of an application.');
  const flags = flagsOf(attributesOf(element), note);
  for (const unknown of element.children.filter((child) => !knownElements.includes(child.name)))
    note(unknown.name, null, 'Lockstep does not know this element.');
  const application = {
    source,
    label: (description ?? original).slice(0, 200),
    ...(fields.length === 0 ? {} : { fields: withSynced(fields) }),
    ...flags,
    ...peopleOf('users', 'appuseraccount', 'usergroup'),
    ...peopleOf('administrators', 'appadminaccount'),
  };
  return { application, groups, becomes };
}

const knownElements = [
  ...['description', 'contact', 'appuseraccount', 'usergroup', 'appadminaccount', 'field', 'flags'],
];

interface Field {
  readonly name: string;
  readonly label: string;
  readonly masked: boolean;
}

/** The fields in the order of their ordinals; the first is the user id. */
const fieldsOf = (element: Element): Field[] =>
  element.children
    .filter(({ name }) => name === 'field')
    .sort((one, other) => Number(one.attributes.ordinal) - Number(other.attributes.ordinal))
    .map(({ attributes: { ordinal, label = '', masked } }) => ({
      name: lockstepName(label) ?? `field-${ordinal ?? ''}`,
      label,
      masked: isYes(masked),
    }));

/** The password is the second of two fields, or else the only masked one. */
const withSynced = (fields: readonly Field[]): object[] =>
  fields.map((field, index) =>
    (fields.length === 2 ? index === 1 : field.masked) ? { ...field, synced: true } : field,
  );

type Note = (from: string, to: string | null, says?: string) => void;

/** Flags of ENTSSO in lower case, and where they are in an application. */
const flagPaths: Readonly<Record<string, readonly [string, string?]>> = {
  enableapp: ['enabled'],
  windowsinitiatedsso: ['windowsInitiated'],
  hostinitiatedsso: ['hostInitiated'],
  validatepassword: ['validatePassword'],
  allowlocalaccounts: ['localAccounts'],
  adminaccountsame: ['administratorAccountsSame'],
  allowtickets: ['tickets', 'allowed'],
  validatetickets: ['tickets', 'validated'],
};

/** Flags whose absence or value `no` needs no counterpart. */
const harmless = ['groupapp', 'configstoreapp'];

function flagsOf(flags: Readonly<Record<string, string>>, note: Note): Document {
  const result: Record<string, unknown> = {};
  const tickets: Record<string, boolean> = {};
  for (const [flag, value] of Object.entries(flags)) {
    const [member, inner] = Object.hasOwn(flagPaths, flag) ? (flagPaths[flag] ?? []) : [];
    if (member !== undefined && inner !== undefined) tickets[inner] = isYes(value);
    else if (member !== undefined) result[member] = isYes(value);
    else if (flag === 'disablecredcache') result.credentialCache = !isYes(value);
    else if (flag === 'timeouttickets') {
      if (!isYes(value)) note(flag, null, 'Every ticket has an end here.');
    } else if (!harmless.includes(flag)) note(flag, null, 'Lockstep does not know this flag.');
  }
  return Object.keys(tickets).length === 0 ? result : { ...result, tickets };
}
