import { auditRoutes } from './admin/audit';
import { keyRoutes } from './admin/keys';
import { presenceRoutes } from './admin/presence';
import { captureControlRoutes } from './captures/control';
import { relayRoutes } from './captures/relays';
import { takeCapture } from './captures/report';
import { signInRoutes } from './captures/sign-ins';
import { planOfChange } from './changes/dry-run';
import { changeRoutes } from './changes/routes';
import { staleRoutes } from './changes/stale';
import { startChange } from './changes/start';
import { configurationRoutes } from './configuration/routes';
import { graphRoutes } from './graph/routes';
import type { Route } from './http/route';
import { peopleRoutes } from './people/routes';
import { scimRoutes } from './scim/routes';
import { sourceCommandRoutes } from './sources/commands';
import { sourceRoutes } from './sources/routes';

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
