import { adapterRoutes } from './adapters/routes';
import { adapterStatusRoutes } from './adapters/status';
import { auditRoutes } from './admin/audit';
import { diagnosticsRoutes } from './admin/diagnostics';
import { keyRoutes } from './admin/keys';
import { masterKeyRoutes } from './admin/master-keys';
import { presenceRoutes } from './admin/presence';
import { captureControlRoutes } from './captures/control';
import { relayRoutes } from './captures/relays';
import { reportCapture } from './captures/report';
import { signInRoutes } from './captures/sign-ins';
import { planOfChange } from './changes/dry-run';
import { passwordRuleRoutes } from './changes/password-rules';
import { changeRoutes } from './changes/routes';
import { staleRoutes } from './changes/stale';
import { startChange } from './changes/start';
import { groupPolicyRoutes } from './configuration/group-policy';
import { configurationRoutes } from './configuration/routes';
import { configurationVersionRoutes } from './configuration/versions';
import { sessionRoutes } from './console/sessions';
import { graphRoutes } from './graph/routes';
import type { Route } from './http/route';
import { noticeRoutes } from './notices/routes';
import { accountActionRoutes } from './people/actions';
import { mappingImportRoutes } from './people/mapping-import';
import { mappingRoutes } from './people/mapping-routes';
import { meRoutes } from './people/me';
import { oneTimeLinkRoutes } from './people/one-time-links';
import { ownApplicationRoutes } from './people/own-applications';
import { ownSessionRoutes } from './people/own-sessions';
import { peopleRoutes } from './people/routes';
import { credentialRoutes } from './people/set-credentials';
import { scimRoutes } from './scim/routes';
import { candidateRoutes } from './sources/candidates';
import { sourceCommandRoutes } from './sources/commands';
import { sourceHistoryRoutes } from './sources/history';
import { sourceRoutes } from './sources/routes';

/** The route table: everything that the API serves under /v1 and /scim. */
export const routes: readonly Route[] = [
  startChange,
  planOfChange,
  ...passwordRuleRoutes,
  reportCapture,
  ...captureControlRoutes,
  ...signInRoutes,
  ...changeRoutes,
  ...peopleRoutes,
  ...mappingRoutes,
  ...meRoutes,
  ...ownSessionRoutes,
  ...ownApplicationRoutes,
  ...mappingImportRoutes,
  ...credentialRoutes,
  ...accountActionRoutes,
  ...oneTimeLinkRoutes,
  ...configurationRoutes,
  ...configurationVersionRoutes,
  ...groupPolicyRoutes,
  ...sourceRoutes,
  ...candidateRoutes,
  ...sourceCommandRoutes,
  ...sourceHistoryRoutes,
  ...relayRoutes,
  ...adapterStatusRoutes,
  ...adapterRoutes,
  ...staleRoutes,
  ...keyRoutes,
  ...sessionRoutes,
  ...auditRoutes,
  ...graphRoutes,
  ...noticeRoutes,
  ...presenceRoutes,
  ...masterKeyRoutes,
  ...diagnosticsRoutes,
  ...scimRoutes,
];
