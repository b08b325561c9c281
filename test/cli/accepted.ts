import { unseal } from '../../sealing/passwords';
import { readChangeAtWork } from '../../store/worker/outcomes';
import type { TestApi } from '../support/api';

/** The newest change of a person, once there is one. */
export async function changeOf(api: TestApi, identity: string): Promise<string> {
  for (;;) {
    const { body } = await api.send('GET', `/v1/changes?identity=${identity}`);
    const [change] = body.changes as { id: string }[];
    if (change !== undefined) return change.id;
  }
}

/** Its passwords, new and current, as the worker would open them. */
export async function openedOf(api: TestApi, identity: string): Promise<(string | null)[]> {
  const id = await changeOf(api, identity);
  const row = (await readChangeAtWork(api.database.db, id))?.sealed ?? null;
  const key = row === null ? null : await api.keys.epochKey(row.epochId);
  if (row === null || key === null) throw new Error('nothing is sealed');
  const change = await api.database.db
    .selectFrom('change')
    .select(['identity_id', 'seq', 'expires_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const { next, current } = await unseal(row.jwe, key, {
    changeId: id,
    identityId: change.identity_id,
    seq: change.seq,
    expiresAt: change.expires_at,
  });
  return [next.text(), current?.text() ?? null];
}

/** A change that nobody has begun. */
export async function acceptedChange(api: TestApi, identity: string): Promise<string> {
  const body = { identity, password: 'correct horse battery staple' };
  return String((await api.send('POST', '/v1/changes', { body })).body.id);
}
