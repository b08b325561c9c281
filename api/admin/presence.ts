import { Misconfigured } from '../../config';
import { type Presence, presenceSchema } from '../../model/api/presence';
import { isolatedSources } from '../../model/configuration/isolation';
import { keepsFromSealing } from '../../model/key-store-problem';
import type { Caller } from '../../store/api-keys';
import { readBoundSources, readEngineTrouble, readKeyStoreTrouble } from '../../store/presence';
import type { Dependencies } from '../http/dependencies';
import { type Route, route } from '../http/route';
import { waitingFor } from '../http/waiting-for';
import { visibleSources } from '../sources/visible';

const readPresence = route({
  method: 'get',
  path: '/v1/presence',
  right: 'read',
  summary: 'See whether changes can proceed',
  description:
    'The API accepts changes even while no worker runs. They are stored and start by themselves once a worker is back.',
  answers: {
    200: {
      says: 'Whether a worker runs and reaches Temporal.',
      schema: presenceSchema,
    },
  },
  handle: async (deps, { caller }) => {
    const [standstill, { problems, lacks }, keyStore, sealing, unserved] = await Promise.all([
      deps.standstill(),
      readEngineTrouble(deps.db),
      readKeyStoreTrouble(deps.db),
      sealingOf(deps),
      unservedSources(deps, caller),
    ]);
    return {
      status: 200,
      body: {
        waitingFor:
          waitingFor(standstill) ?? (keyStore.problems.some(keepsFromSealing) ? 'key_store' : null),
        engineProblems: [...problems],
        engineLacks: [...lacks],
        keyStoreProblems: [...keyStore.problems],
        unsavedMasterKeys: [...keyStore.unsaved],
        sealing,
        unservedSources: unserved,
      },
    };
  },
});

/** Those that the API key may see. */
async function unservedSources(
  { db, configuration }: Dependencies,
  caller: Caller,
): Promise<string[]> {
  const inForce = (await configuration()).configuration;
  const visible = visibleSources(inForce, caller);
  const isolated = isolatedSources(inForce).filter(
    (name) => inForce.sources[name]?.enabled && visible.includes(name),
  );
  if (isolated.length === 0) return [];
  const served = await readBoundSources(db);
  return isolated.filter((name) => !served.includes(name));
}

async function sealingOf({ keyToSealTo }: Dependencies): Promise<Presence['sealing']> {
  try {
    return (await keyToSealTo(new Date(), true)) === null ? 'no_key' : 'ready';
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    return 'signer_unreadable';
  }
}

export const presenceRoutes: readonly Route[] = [readPresence];
