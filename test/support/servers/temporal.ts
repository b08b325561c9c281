import {
  searchAttributes,
  startTemporal,
  temporalBinary,
  timeSkippingBinary,
} from '../../../local/temporal';
import { CannotBeHad, type ServerStarter } from '../servers';

const orSkip = (error: Error): never => {
  throw new CannotBeHad(error.message);
};

/** Temporal. Facts: `address`, `namespace`, `uiUrl`, `cliPath`. */
export const temporal: ServerStarter = {
  name: 'temporal',
  start: async (dir, report) => {
    const binary = await temporalBinary({ report }).catch(orSkip);
    const namespace = 'lockstep-test';
    const server = await startTemporal({ dir, binary, namespace, searchAttributes });
    const { address, uiUrl } = server;
    return {
      facts: { address, namespace, uiUrl: uiUrl ?? '', cliPath: binary },
      stop: server.stop,
    };
  },
};

/** The time-skipping test server of Temporal. It is not started: each test starts its own. Fact: `timeSkippingBinary`. */
export const timeSkipping: ServerStarter = {
  name: 'time-skipping',
  start: async (_dir, report) => ({
    facts: { timeSkippingBinary: await timeSkippingBinary({ report }).catch(orSkip) },
    stop: async () => {},
  }),
};
