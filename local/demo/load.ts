import { appsDn, HERO, HERO_SECOND_ACCOUNT, people } from './company';

/**
 * Calls the api with the admin key, and waits until a job has ended. The path is below `/v1`, one string per segment.
 * @throws Error with the problem that the api reports
 */
export type CallApi = (
  method: 'GET' | 'POST' | 'PUT',
  path: readonly string[],
  body?: unknown,
) => Promise<unknown>;

/** Loads the company into Lockstep: its configuration, people, accounts and mappings. */
export async function loadCompany(
  call: CallApi,
  document: unknown,
  sources: readonly string[],
): Promise<void> {
  const plan = (await call('POST', ['configuration', 'plan'], { document })) as {
    version: number;
    differences: unknown[];
  };
  if (plan.differences.length > 0)
    await call('POST', ['configuration', 'apply'], { document, version: plan.version });
  if (await isLoaded(call)) return;
  // The first source adds the people. The accounts of the others are found by mail, login or role.
  for (const source of sources) await refresh(call, source);
  // Her account comes last, because `isLoaded` looks for it.
  for (const { name, crm, apps } of people.slice(0, 8).reverse())
    await call('PUT', ['identities', name], {
      ...(name === HERO ? secondAccount : {}),
      mappings: [
        ...(crm ? [{ application: 'expenses' }] : []),
        ...(apps ? [{ application: 'wiki', account: appsDn(name) }] : []),
      ],
    });
}

/** @throws Error when the source was not read, because all further steps need its accounts */
async function refresh(call: CallApi, source: string): Promise<void> {
  const job = (await call('POST', ['sources', source, 'refresh'], {})) as {
    readonly state?: 'done' | 'failed';
    readonly result?: unknown;
  };
  if (job.state === 'failed')
    throw new Error(`The accounts of ${source} were not read: ${JSON.stringify(job.result)}`);
  if (job.state === undefined) throw new Error(`No worker has read the accounts of ${source} yet`);
}

const secondAccount = {
  accounts: [{ source: 'apps-directory', name: appsDn(HERO_SECOND_ACCOUNT) }],
};

async function isLoaded(call: CallApi): Promise<boolean> {
  const { identities } = (await call('GET', ['identities'])) as {
    identities: { name: string; accounts: { name: string }[] }[];
  };
  const hero = identities.find(({ name }) => name === HERO);
  return hero?.accounts.some(({ name }) => name === appsDn(HERO_SECOND_ACCOUNT)) === true;
}
