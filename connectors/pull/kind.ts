import { PULL_KIND, type PullSettings, pullSettings } from '../../model/adapters/settings';
import { foldCase } from '../../model/people/fold-case';
import { exactNaming } from '../../model/people/naming';
import type { ConnectorKind } from '../contract';
import type * as Driver from './pull';

/** An external program (adapter) that receives password changes over HTTP and acknowledges them. Lockstep never calls it. */
export const pull: ConnectorKind<PullSettings> = {
  kind: PULL_KIND,
  title: 'Any target, by an adapter that pulls',
  settings: pullSettings,
  secretSettings: [],
  traits: {
    proof: 'none',
    repeatable: false,
    accepts: ['plaintext'],
    yields: ['plaintext'],
    reportsCurrent: true,
    actions: [],
  },
  // The adapter reports names only, so an account has no id that survives a rename.
  naming: ({ names }) => ({
    ...exactNaming,
    canonicalName: (name) => (names === 'exact' ? name : foldCase(name)),
  }),
  needs: [
    'A program that follows the protocol of [adapters.md](adapters.md). It calls the API; the API and the worker never call it.',
    'An API key of the scope `adapter` for this source: `lockstep keys create "adapter of <source>" --scope adapter --source <source>`.',
    'Accounts that an operator links to people: an adapter cannot be searched.',
    'The program tolerates a message that arrives twice, because a message is delivered again until it is acknowledged.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too.
  open: async (settings, tools) => (require('./pull') as typeof Driver).openPull(settings, tools),
};
