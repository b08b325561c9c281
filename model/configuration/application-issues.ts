import { isDeepStrictEqual } from 'node:util';
import { type Application, syncedField } from './application';
import type { Configuration, ConfigurationIssue } from './document';

interface ApplicationRule {
  readonly field: keyof Application;
  readonly broken: (application: Application) => string | false;
}

const rules: readonly ApplicationRule[] = [
  {
    field: 'fields',
    broken: ({ fields }) =>
      fields.length < 2 &&
      'has fewer than two fields; the first is the user id, another one is the password',
  },
  {
    field: 'fields',
    broken: ({ fields }) =>
      new Set(fields.map(({ name }) => name)).size < fields.length &&
      'names a field twice; give each field a name of its own',
  },
  {
    field: 'fields',
    broken: ({ fields }) =>
      fields[0]?.synced === true && 'has the user id as its synced field; set synced on another',
  },
  {
    field: 'fields',
    broken: (application) =>
      application.fields.length >= 2 &&
      syncedField(application) === null &&
      'does not show which field holds the password; set synced on exactly one field',
  },
  {
    field: 'fields',
    broken: (application) =>
      application.fields.some(
        (field, index) =>
          field.default !== undefined &&
          (index === 0 || field.masked || field.name === syncedField(application)?.name),
      ) &&
      'has a default for the user id, the password or a masked field; the configuration holds no secret, so remove it',
  },
  {
    field: 'shared',
    broken: ({ type, shared }) =>
      type !== 'group' &&
      shared.length > 0 &&
      'is for applications of the type "group"; remove it, or set that type',
  },
  {
    field: 'shared',
    broken: ({ type, shared }) =>
      type === 'group' &&
      shared.length === 0 &&
      'is empty, so no one could use the application; list a group of people and the identity whose account they share',
  },
  {
    field: 'validatePassword',
    broken: ({ hostInitiated, validatePassword }) =>
      hostInitiated &&
      !validatePassword &&
      'is false in an application that leads to the credentials of people; set it to true',
  },
];

/** What is wrong in the applications of a configuration, apart from the shape of their fields. */
export const applicationIssues = (
  { applications, peopleGroups }: Configuration,
  knownGroups: readonly string[] = Object.keys(peopleGroups),
): ConfigurationIssue[] =>
  Object.entries(applications).flatMap(([name, application]) => {
    const at = ['applications', name];
    const unknown = (path: (string | number)[], group: string): ConfigurationIssue[] =>
      knownGroups.includes(group)
        ? []
        : [{ path: [...at, ...path], says: `there is no group of people "${group}"` }];
    return [
      ...rules.flatMap(({ field, broken }) => {
        const says = broken(application);
        return says === false ? [] : [{ path: [...at, field], says }];
      }),
      ...(['administrators', 'users'] as const).flatMap((who) =>
        application[who].groups.flatMap((group, index) => unknown([who, 'groups', index], group)),
      ),
      ...unknownTarget(applications, application.leadsTo).map((says) => ({
        path: [...at, 'leadsTo'],
        says,
      })),
      ...application.shared.flatMap(({ group }, index) =>
        unknown(['shared', index, 'group'], group),
      ),
    ];
  });

const unknownTarget = (
  applications: Configuration['applications'],
  target: string | undefined,
): string[] =>
  target === undefined || Object.hasOwn(applications, target)
    ? []
    : [`there is no application "${target}"`];

const fixed = ['type', 'fields'] as const;

/**
 * The issues of fields that cannot be changed while the application exists. Stored credentials have these fields.
 */
export const fixedFieldIssues = (
  inForce: Configuration,
  wanted: Configuration,
): ConfigurationIssue[] =>
  Object.entries(wanted.applications).flatMap(([name, application]) => {
    const before = Object.hasOwn(inForce.applications, name)
      ? inForce.applications[name]
      : undefined;
    if (before === undefined) return [];
    return fixed
      .filter((field) => !isDeepStrictEqual(before[field], application[field]))
      .map((field) => ({
        path: ['applications', name, field],
        says: 'cannot be changed; add an application of another name, and delete this one',
      }));
  });
