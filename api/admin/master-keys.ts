import { masterKeysSchema } from '../../model/api/master-keys';
import { credentialsByKey, currentMasterKey } from '../../store/master-keys';
import { readKeyStoreTrouble } from '../../store/presence';
import { type Route, route } from '../http/route';

const read = route({
  method: 'get',
  path: '/v1/master-keys',
  right: 'read',
  summary: 'See which master keys seal the stored credentials',
  description:
    'What workers report, and how many credentials each key seals. Only a worker can open a key; `lockstep sso secret` administers them.',
  answers: { 200: { says: 'The keys, the oldest first.', schema: masterKeysSchema } },
  handle: async ({ db, configuration }) => {
    const [current, credentials, { problems, unsaved }, { configuration: inForce }] =
      await Promise.all([
        currentMasterKey(db),
        credentialsByKey(db),
        readKeyStoreTrouble(db),
        configuration(),
      ]);
    const ids = [...(current === null ? [] : [current]), ...credentials.keys(), ...unsaved];
    const isKnown = current !== null && Object.keys(inForce.applications).length > 0;
    const keys = [...new Set(ids)].sort().map((id) => ({
      ...{ id, current: id === current, credentials: credentials.get(id) ?? 0 },
      backedUp: isKnown ? !unsaved.includes(id) : null,
    }));
    return { status: 200, body: { problems: [...problems], keys } };
  },
});

export const masterKeyRoutes: readonly Route[] = [read];
