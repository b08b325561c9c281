import type { AdapterApi } from '../adapters';
import type { Company, CompanyAccount } from '../company';
import { type ServerProxy, startProxy } from '../proxy';
import { sharedDomain } from './domain';
import type { ExternalSystem } from './external';
import { type LoopSystem, startLoop } from './loop';
import { mariadbTable } from './table';

/** OpenLDAP, a PostgreSQL role, a MariaDB table, and a system whose adapter pulls. */
export const externals = ['apps', 'warehouse', 'table', 'loop'] as const;
export type External = (typeof externals)[number];
type System = External | 'domain';

/** The systems that the tests cover: every one in `npm run check:sso`, else the one that no other suite covers. */
export const covered: readonly External[] =
  process.env.LOCKSTEP_CHECK_SSO === undefined ? ['table'] : externals;

/** A Samba domain as the directory, and external systems that have adapters. */
export interface SsoCompany {
  readonly loop: LoopSystem;
  /** The sources of a configuration. */
  source(system: System): object;
  addAccount(system: System): Promise<CompanyAccount>;
  removeAccount(account: CompanyAccount): Promise<void>;
  /** Makes a system unreachable until `giveBack`. */
  takeAway(system: System): Promise<void>;
  giveBack(system: System): Promise<void>;
  /** Makes a system answer nothing any more until `giveBack`. */
  silence(system: System): void;
  stop(): Promise<void>;
}

interface Behind {
  readonly system: ExternalSystem;
  readonly proxy: ServerProxy;
}

/** @param directory the domain; by default the one that the test run shares */
export async function startSsoCompany(
  company: Company,
  api: AdapterApi,
  directory?: ExternalSystem,
): Promise<SsoCompany> {
  const behind = async (system: ExternalSystem): Promise<Behind> => ({
    system,
    proxy: await startProxy(system.address),
  });
  const own = {
    domain: await behind(directory ?? (await sharedDomain())),
    table: await behind(await mariadbTable()),
  };
  const loop = await startLoop(api, 'loop');
  const ownOf = (name: string): Behind | undefined =>
    name === 'domain' || name === 'table' ? own[name] : undefined;
  const proxyOf = (name: System): ServerProxy | undefined =>
    name === 'apps' || name === 'warehouse' ? company.proxies[name] : ownOf(name)?.proxy;
  return {
    loop,
    source(name) {
      if (name === 'loop') return { kind: 'pull', settings: { retryDelaySeconds: 1 } };
      const found = ownOf(name);
      return found === undefined
        ? Object(company.sources()[name])
        : found.system.configuration(found.proxy.address);
    },
    async addAccount(name) {
      if (name === 'loop') return loop.addAccount(name);
      if (name === 'apps' || name === 'warehouse') return company.addAccount(name);
      return own[name].system.addAccount(name);
    },
    async removeAccount(account) {
      if (account.source === 'loop') return loop.remove(account);
      await (ownOf(account.source)?.system.remove(account) ?? company.removeAccount(account));
    },
    async takeAway(name) {
      const proxy = proxyOf(name);
      await (proxy?.refuse() ?? loop.connect(false));
      proxy?.cut();
    },
    async giveBack(name) {
      if (name === 'loop') loop.beSilent(false);
      await (proxyOf(name)?.pass() ?? loop.connect(true));
    },
    silence(name) {
      if (name === 'loop') loop.beSilent(true);
      else proxyOf(name)?.silence();
    },
    async stop() {
      await loop.stop();
      for (const { system, proxy } of Object.values(own)) {
        await proxy.stop();
        await system.stop();
      }
    },
  };
}
