import { appsDn, HERO, HERO_SECOND_ACCOUNT, people } from './company';

/**
 * Calls the api with the admin key, and waits for what takes a while. The path is below `/v1`, one segment each.
 * @throws Error with what the api says
 */
export type CallApi = (
  method: 'GET' | 'POST' | 'PUT',
  path: readonly string[],
  body?: unknown,
) => Promise<unknown>;

/** Tells Lockstep about the company: its configuration, its people, their accounts, and who signs in where. */
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
  // The first adds the people; the others find theirs by mail, login or role.
  for (const source of sources) await call('POST', ['sources', source, 'refresh'], {});
  // Hers comes last: it says that all is done.
  for (const { name, crm, apps } of people.slice(0, 8).reverse())
    await call('PUT', ['identities', name], {
      ...(name === HERO ? secondAccount : {}),
      mappings: [
        ...(crm ? [{ application: 'expenses' }] : []),
        ...(apps ? [{ application: 'wiki', account: appsDn(name) }] : []),
      ],
    });
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
