import { unseal } from '../../sealing/passwords';
import { readChangeAtWork } from '../../store/worker/outcomes';
import type { TestApi } from '../support/api';

/** Waits until the person has a change. @returns the id of the newest one */
export async function changeOf(api: TestApi, identity: string): Promise<string> {
  for (;;) {
    const { body } = await api.send('GET', `/v1/changes?identity=${identity}`);
    const [change] = body.changes as { id: string }[];
    if (change !== undefined) return change.id;
  }
}

/** The passwords of the newest change of a person, new and current, opened as a worker would. */
export async function openedOf(api: TestApi, identity: string): Promise<(string | null)[]> {
  const id = await changeOf(api, identity);
  const row = (await readChangeAtWork(api.database.db, id))?.sealed ?? null;
  const key = row === null ? null : await api.keys.epochKey(row.epochId);
  if (row === null || key === null) throw new Error('the change has no sealed password');
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

/** Requests a change that no worker has started. @returns its id */
export async function acceptedChange(api: TestApi, identity: string): Promise<string> {
  const body = { identity, password: 'correct horse battery staple' };
  return String((await api.send('POST', '/v1/changes', { body })).body.id);
}
