import { z } from 'zod';
import { text } from '../../model/api/fields';
import { type OwnApplication, ownApplicationsSchema } from '../../model/api/own-applications';
import { mappedIdentity } from '../../model/configuration/application';
import { describedApplication, describedSource } from '../../model/configuration/described';
import { applicationNamed, type Configuration } from '../../model/configuration/document';
import type { Person } from '../../model/people/correlation';
import { followsChanges } from '../../model/people/follows';
import type { Caller } from '../../store/api-keys';
import { findIdentity } from '../../store/people/identities';
import { type OwnMapping, readOwnMappings } from '../../store/people/listing';
import { enableMapping } from '../../store/people/mappings';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { ownIdentity } from './me';
import { canVerify } from './set-credentials';

const list = route({
  method: 'get',
  path: '/v1/me/applications',
  right: 'me',
  summary: 'List your own applications of single sign-on',
  description:
    'For a key that is bound to a person: whether a credential is stored for each application, and whether it follows password changes. No answer contains a credential.',
  answers: { 200: { says: 'The applications, by name.', schema: ownApplicationsSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller }) => {
    const { identityId, name } = await ownIdentity(deps, caller);
    const { configuration } = await deps.configuration();
    const person = await findIdentity(deps.db, { name });
    const own = await readOwnMappings(deps.db, identityId);
    const applications = [
      ...own.flatMap((mapping) => ownApplication(configuration, mapping)),
      ...(person === null ? [] : await sharedApplications(deps, configuration, person)),
    ];
    applications.sort((one, other) => one.title.en.localeCompare(other.title.en));
    return { status: 200, body: { name, applications } };
  },
});

/** An application that was removed from the configuration is not shown. */
function ownApplication(configuration: Configuration, mapping: OwnMapping): OwnApplication[] {
  const { id, application, source, account, enabled, state, reason, storedFrom, since } = mapping;
  const configured = applicationNamed(configuration, application);
  if (configured === undefined) return [];
  return [
    {
      ...{ id, application, ...describedApplication(configuration, application), source, account },
      sourceTitle: describedSource(configuration, source).title,
      ...{ enabled, applicationEnabled: configured.enabled, state, reason, storedFrom, since },
      follows: enabled && followsChanges(configuration, application),
      maySet: configured.enabled && canVerify(configuration, source),
      // The account of a group application is used by others, too.
      maySwitch: configured.type !== 'group',
    },
  ];
}

/** The applications in which the person uses the account of another identity. */
async function sharedApplications(
  { db }: Dependencies,
  configuration: Configuration,
  person: Person,
): Promise<OwnApplication[]> {
  const groups = configuration.peopleGroups;
  const shared = Object.entries(configuration.applications).flatMap(([application, configured]) => {
    const identity = mappedIdentity(configured, person, groups);
    return identity === null || identity === person.name ? [] : [{ application, identity }];
  });
  const found = shared.map(async ({ application, identity }) => {
    const owner = await findIdentity(db, { name: identity });
    const mappings = owner === null ? [] : await readOwnMappings(db, owner.id);
    return mappings
      .filter((mapping) => mapping.application === application)
      .flatMap((mapping) => ownApplication(configuration, mapping))
      .map((one) => ({ ...one, id: null, account: null, maySet: false, maySwitch: false }));
  });
  return (await Promise.all(found)).flat();
}

const switchRoute = (verb: 'enable' | 'disable', description: string) =>
  route({
    method: 'post',
    path: `/v1/me/applications/{id}/${verb}`,
    right: 'me',
    summary: `${verb === 'enable' ? 'Enable' : 'Disable'} the mapping of one of your own applications`,
    description: `${description} An account that several people share is switched by administrators only.`,
    params: z.strictObject({ id: text(40).describe('The id of the mapping.') }),
    answers: { 204: { says: `The mapping is ${verb}d.` } },
    problems: ['not_found'],
    handle: async (deps, { caller, params: { id } }) => {
      if (!(await isSwitchable(deps, caller, id))) throw new HttpProblem('not_found');
      await enableMapping(deps.db, id, verb === 'enable', actorOf(caller));
      return { status: 204 };
    },
  });

/** Whether the mapping is one of the caller's own, and its account belongs to this person alone. */
async function isSwitchable(deps: Dependencies, caller: Caller, id: string): Promise<boolean> {
  const { identityId } = await ownIdentity(deps, caller);
  const { configuration } = await deps.configuration();
  const own = await readOwnMappings(deps.db, identityId);
  return own
    .filter((mapping) => mapping.id === id)
    .flatMap((mapping) => ownApplication(configuration, mapping))
    .some(({ maySwitch }) => maySwitch);
}

export const ownApplicationRoutes: readonly Route[] = [
  list,
  switchRoute('enable', 'The next change of the account updates its credential.'),
  switchRoute(
    'disable',
    'Its credential is kept, but not returned by look-ups, and changes do not update it.',
  ),
];
