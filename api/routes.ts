import { auditRoutes } from './audit';
import { captureControlRoutes } from './captures/control';
import { takeCapture } from './captures/route';
import { planOfChange } from './changes/plan';
import { changeRoutes } from './changes/routes';
import { startChange } from './changes/start';
import { configurationRoutes } from './configuration';
import { graphRoutes } from './graph/routes';
import { keyRoutes } from './keys';
import { peopleRoutes } from './people/routes';
import { presenceRoutes } from './presence';
import { relayRoutes } from './relays';
import type { Route } from './route';
import { scimRoutes } from './scim/routes';
import { signInRoutes } from './sign-ins';
import { sourceCommandRoutes } from './source-commands';
import { sourceRoutes } from './sources';
import { staleRoutes } from './stale';

/** Everything under /v1 and /scim. What is not here is not there. */
export const routes: readonly Route[] = [
  startChange,
  planOfChange,
  takeCapture,
  ...captureControlRoutes,
  ...signInRoutes,
  ...changeRoutes,
  ...peopleRoutes,
  ...configurationRoutes,
  ...sourceRoutes,
  ...sourceCommandRoutes,
  ...relayRoutes,
  ...staleRoutes,
  ...keyRoutes,
  ...auditRoutes,
  ...graphRoutes,
  ...presenceRoutes,
  ...scimRoutes,
];
