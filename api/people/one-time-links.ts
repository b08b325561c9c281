import { z } from 'zod';
import { reachedBy } from '../../intake/covered-groups';
import { IntakeRejected } from '../../intake/rejected';
import { oneTimeLinkSchema, wantedLinkSchema } from '../../model/api/one-time-links';
import { channelsFor } from '../../model/configuration/notice-channels';
import { addressOf } from '../../model/notices/person-address';
import { createLink } from '../../store/people/one-time-links';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { personName } from '../http/schemas';
import { readPerson } from './read-person';

/** The page on which a person enters the code of a link. */
export const LINK_PAGE = '/password/link';

const create = route({
  method: 'post',
  path: '/v1/identities/{name}/one-time-link',
  right: 'help',
  summary: 'Make a link with which a person sets a new password',
  description:
    'For a person who has forgotten the password, after the agent has checked who is calling. The agent never learns the password. The link works once, for some minutes, and ends with the next change or the next link of the person.',
  params: z.strictObject({ name: personName }),
  body: smallBody(wantedLinkSchema, {
    one: { check: 'called-back', reason: 'ticket 4711' },
  }),
  answers: { 201: { says: 'The link.', schema: oneTimeLinkSchema } },
  problems: ['not_found', 'no_group'],
  handle: async (deps, { caller, params: { name }, body }) => {
    const { identity } = await readPerson(deps, caller, name);
    const who = { person: { name: identity.name }, group: null };
    // The person chooses the group when there are several.
    await reachedBy(deps, caller, who, identity).catch((error: unknown) => {
      if (!(error instanceof IntakeRejected) || error.code !== 'group_needed') throw error;
    });
    const { settings } = deps;
    const { deliver, ...checked } = body;
    const sentTo = deliver === 'mail' ? await mailAddressOf(deps, identity.attributes) : null;
    const lasting = { identity, agent: caller, lastsMs: settings.oneTimeLinkMs };
    const byMail = deliver === 'mail';
    const made = await createLink(deps.db, { ...lasting, ...checked, byMail });
    const page = `${settings.publicUrl}${LINK_PAGE}`;
    return { status: 201, body: { ...made, page, sentTo } };
  },
});

/** @throws HttpProblem `request_invalid` if no mail can bring the link to the person */
async function mailAddressOf(
  { configuration, settings }: Dependencies,
  attributes: Readonly<Record<string, string>>,
): Promise<string> {
  const refused = (says: string) =>
    new HttpProblem('request_invalid', { issues: [{ path: ['deliver'], says }] });
  const channels = channelsFor((await configuration()).configuration, 'people');
  const [, channel] = channels.find(([, { kind }]) => kind === 'mail') ?? [];
  if (channel === undefined) throw refused('no channel of the kind mail is for people');
  if (settings.publicUrl === '') throw refused('mails need LOCKSTEP_API_PUBLIC_URL');
  const address = addressOf(channel, attributes);
  if (address === null) throw refused('the person has no mail address');
  return address;
}

export const oneTimeLinkRoutes: readonly Route[] = [create];
