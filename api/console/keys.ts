import {
  fieldsOfKey,
  KEYS,
  type KeyForm,
  keyPage,
  keysPage,
  lifetimes,
  madeKeyPage,
  newKeyPage,
  rotatedKeyPage,
} from '../../console/desk/keys';
import type { ApiKey, ApiKeyCreated, ApiKeyRotated, ApiKeys } from '../../model/api/keys';
import { givenScopes } from '../../model/api/scopes';
import type { Sessions } from '../../model/api/sessions';
import type { Configuration } from '../../model/configuration/document';
import { asHttpProblem, HttpProblem } from '../http/problem';
import { type ConsolePage, type PageAnswer, redirect } from './pages';
import { type StaffVisit, staffPage } from './staff';

const NEW = `${KEYS}/new`;

/** The pages on which an administrator makes, limits, rotates and revokes API keys, and ends sessions. */
export const keyPages = (): readonly ConsolePage[] => [
  staffPage('get', KEYS, async ({ api, desk }) => {
    const [{ keys }, { sessions }] = await Promise.all([
      api.get<ApiKeys>('/v1/keys'),
      api.get<Sessions>('/v1/sessions'),
    ]);
    return { status: 200, html: keysPage(desk, keys, sessions) };
  }),
  staffPage('get', NEW, (staff) => showForm(staff, 200, {}), { needsRecentSignIn: true }),
  staffPage('post', NEW, make),
  staffPage('get', `${KEYS}/:id`, async ({ api, desk, param }) => ({
    status: 200,
    html: keyPage(desk, await readKey(api, param('id'))),
  })),
  staffPage('post', `${KEYS}/:id/rotate`, async ({ api, desk, param, field }) => {
    const key = await readKey(api, param('id'));
    const { body } = await api.answer('post', '/v1/keys/{id}/rotate', {
      params: { id: key.id },
      body: field('keep') === 'no' ? { keepSeconds: 0 } : {},
    });
    return { status: 200, html: rotatedKeyPage(desk, key, body as ApiKeyRotated) };
  }),
  staffPage('post', `${KEYS}/:id/revoke`, async ({ api, param }) => {
    await api.answer('delete', '/v1/keys/{id}', { params: { id: param('id') } });
    return redirect(`${KEYS}?done=revoked`);
  }),
  staffPage(
    'post',
    '/console/sessions/:id/end',
    async ({ api, param }) => {
      await api.answer('delete', '/v1/sessions/{id}', { params: { id: param('id') } });
      return redirect(`${KEYS}?done=ended`);
    },
    { home: KEYS },
  ),
];

async function readKey(api: StaffVisit['api'], id: string): Promise<ApiKey> {
  const { keys } = await api.get<ApiKeys>('/v1/keys');
  const key = keys.find((one) => one.id === id);
  if (key === undefined) throw new HttpProblem('not_found');
  return key;
}

async function showForm(
  { api, desk, field }: StaffVisit,
  status: number,
  problems: KeyForm['problems'],
): Promise<PageAnswer> {
  if (!api.may('administer')) throw new HttpProblem('forbidden');
  const { configuration } = await api.get<{ configuration: Configuration }>('/v1/configuration');
  const names = (entries: object) => Object.keys(entries).sort();
  const form: KeyForm = {
    typed: field,
    problems,
    groups: names(configuration.groups),
    sources: names(configuration.sources),
  };
  return { status, html: newKeyPage(desk, form) };
}

async function make(staff: StaffVisit): Promise<PageAnswer> {
  const { api, desk, field } = staff;
  const chosen = Object.entries(staff.fields).flatMap(([name, value]) =>
    name.startsWith('group:') && value === 'yes' ? [name.slice('group:'.length)] : [],
  );
  const orNull = (name: string) => field(name).trim() || null;
  const days = lifetimes[field('expires')];
  const wanted = {
    name: field('name').trim(),
    scopes: givenScopes.filter((scope) => field(`scope:${scope}`) === 'yes'),
    groups: chosen.length === 0 ? null : chosen,
    expiresAt: days === undefined ? null : new Date(Date.now() + days * DAY_MS).toISOString(),
    ...{ agent: orNull('agent'), source: orNull('source'), identity: orNull('identity') },
  };
  try {
    const { body } = await api.answer('post', '/v1/keys', { body: wanted });
    const lifetime = days === undefined ? null : `${days}d`;
    return { status: 201, html: madeKeyPage(desk, { ...wanted, lifetime }, body as ApiKeyCreated) };
  } catch (error) {
    const problem = asHttpProblem(error);
    if (problem.code === 'identity_unknown')
      return showForm(staff, 422, { identity: 'Lockstep does not know this person.' });
    if (problem.code !== 'request_invalid') throw error;
    return showForm(staff, 422, problemsOf(problem));
  }
}

const DAY_MS = 86_400_000;

/** Each issue at its input. */
const problemsOf = ({ details }: HttpProblem): Record<string, string> =>
  Object.fromEntries(
    (details.issues ?? []).map(({ path, says }) => {
      const name = String(path[0] ?? '');
      return [name, `${fieldsOfKey[name] ?? name}: ${says}.`];
    }),
  );
