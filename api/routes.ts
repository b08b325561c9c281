import { auditRoutes } from './audit';
import { takeCapture } from './captures/route';
import { planOfChange } from './changes/plan';
import { changeRoutes } from './changes/routes';
import { startChange } from './changes/start';
import { configurationRoutes } from './configuration';
import { graphRoutes } from './graph/routes';
import { keyRoutes } from './keys';
import { peopleRoutes } from './people/routes';
import { presenceRoutes } from './presence';
import type { Route } from './route';
import { sourceCommandRoutes } from './source-commands';
import { sourceRoutes } from './sources';

/** Everything under /v1. What is not here is not there. */
export const routes: readonly Route[] = [
  startChange,
  planOfChange,
  takeCapture,
  ...changeRoutes,
  ...peopleRoutes,
  ...configurationRoutes,
  ...sourceRoutes,
  ...sourceCommandRoutes,
  ...keyRoutes,
  ...auditRoutes,
  ...graphRoutes,
  ...presenceRoutes,
];
