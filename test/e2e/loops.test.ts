import { chownSync, existsSync } from 'node:fs';
import path from 'node:path';
import { isRoot, NOBODY } from '../../local/places';
import { listRelays } from '../../store/captures/relays';
import { changeUnderPolicy, checkedPolicy } from '../support/checked-directory';
import type { CompanyAccount } from '../support/company';
import { addCrmOutbox } from '../support/crm-outbox';
import { brokenInvariants } from '../support/invariants';
import { everyNth } from '../support/long';
import { holders, newPassword } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { type RetroSource, startRetroSource } from '../support/retro-source';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { compiler, compileShim, openFolder } from '../support/shims';
import { until } from '../support/until';

const MINUTES = 60_000;
const suite = compiler === null ? describe.skip : describe;
const directories = { directory: suffixes.corp, apps: suffixes.free } as const;
const systems = ['directory', 'apps', 'crm', 'vault'] as const;
type System = (typeof systems)[number];

/** A source belongs to one group at most, so a ring is a group in which each source captures for all others, like a clique. */
const pair = ['directory', 'apps'] as const;
const ring = ['directory', 'apps', 'crm'] as const;
const clique = systems;

/** Where the groups are, and in which of their sources the password is changed. `npm test` tries every second one. */
const cases: readonly [title: string, members: readonly System[], origin: System][] = [
  ['a pair, on one side', pair, 'directory'],
  ['a pair, on the other side', pair, 'apps'],
  ['a ring of three', ring, 'directory'],
  ['a ring of three, elsewhere', ring, 'apps'],
  ['a ring of three, by a hash', ring, 'crm'],
  ['a clique of four', clique, 'directory'],
  ['a clique of four, elsewhere', clique, 'vault'],
];

const capture = { enabled: true, verifyCurrent: false };
const candidate = { capture: { ...capture, confirm: true } };
const hashed = { capture: { ...capture, forms: ['ssha512'] } };

/**
 * Four sources that all capture, each with its own relay: two OpenLDAP directories with the check module, a table with an
 * outbox, and 389 Directory Server with its changelog.
 */
suite(`groups in which every source captures${compiler === null ? ' (skipped: no C compiler)' : ''}`, () => {
  describeWith(['slapd', 'ds389', 'postgres', 'temporal'], 'end to end', () => {
    const folder = openFolder();
    const socketOf = (system: System) => path.join(folder, `${system}.sock`);
    let relayed: RelayedCompany;
    let module: string;
    let outbox: Awaited<ReturnType<typeof addCrmOutbox>>;
    let vault: RetroSource;

    beforeAll(async () => {
      module = compileShim('openldap/lockstep_check.c');
      const relay = (system: System) => ({ socket: socketOf(system), socketMode: '0660' });
      relayed = await startRelayedCompany({ sources: {}, relay: relay('directory') });
      await relayed.addRelay('apps', relay('apps'));
      outbox = await addCrmOutbox(relayed.company);
      await relayed.addRelay('crm', outbox.settings);
      vault = await startRetroSource();
      await connect(clique);
      const reading = await relayed.addRelay('vault', vault.relay);
      await until(() => existsSync(path.join(reading.spool, 'place')));
      // The group of the user that slapd runs as.
      if (isRoot)
        for (const system of ['directory', 'apps'] as const)
          chownSync(socketOf(system), 0, NOBODY.gid);
    }, 2 * MINUTES);
    afterEach(async () => {
      expect(await brokenInvariants(relayed.lockstep.database.db)).toEqual({});
    });
    afterAll(async () => {
      await relayed.stop();
      outbox.remove();
      await vault.stop();
    });

    async function connect(members: readonly System[]): Promise<void> {
      const all = {
        ...relayed.company.sources({ directory: candidate, apps: candidate, crm: hashed }),
        vault: { kind: 'ldap', settings: vault.settings, capture },
      };
      await relayed.lockstep.configure({
        version: 1,
        sources: Object.fromEntries(
          members.map((system) => [system, acceptingHashes(all, system)]),
        ),
        policies: { everyone: {} },
        groups: { all: { policy: 'everyone', authSource: members[0], sources: members } },
      });
    }
    const acceptingHashes = (all: Record<string, object>, system: System) => {
      const source = Object(all[system]);
      if (system === 'crm') return source;
      return { ...source, settings: { ...source.settings, hashes: ['ssha512'] } };
    };
    async function newPerson(...where: readonly System[]) {
      const { company, lockstep } = relayed;
      const before = await receivedBySource();
      const accounts = await Promise.all(
        where.map((system) =>
          system === 'vault' ? vault.addAccount(system) : company.addAccount(system),
        ),
      );
      for (const account of accounts) if (isOpenLdap(account)) await check(account);
      // A new row is captured as well; this waits until that capture was ignored because the account is not linked yet.
      if (where.includes('crm'))
        await until(async () => (await receivedBySource()).crm !== before.crm);
      await settled();
      return { person: await lockstep.addPerson(accounts), accounts };
    }
    const isOpenLdap = ({ source }: CompanyAccount) => Object.hasOwn(directories, source);
    async function check({ source, name }: CompanyAccount): Promise<void> {
      const directory = relayed.company.directories[source as 'directory' | 'apps'];
      const suffix = directories[source as 'directory' | 'apps'];
      // pwdCheckQuality 1 accepts hashes, which slapd cannot check.
      const policy = await checkedPolicy(
        directory,
        suffix,
        module,
        `closed:${socketOf(source as System)}`,
        { pwdCheckQuality: '1' },
      );
      const account = { ref: { name, nativeId: null }, password: '', key: '' };
      await directory.replace(account, 'pwdPolicySubentry', policy);
    }
    /** Changes a password in its source, as its users do. */
    const changeThere = (account: CompanyAccount, next: string): Promise<void> =>
      isOpenLdap(account)
        ? changeUnderPolicy(directories[account.source as 'directory' | 'apps'], account.name, next)
        : account.changeThere(next);

    /** Number of captures of each source so far, including those of writes by Lockstep. */
    async function receivedBySource(): Promise<Record<string, number>> {
      const relays = await listRelays(relayed.lockstep.database.db);
      return Object.fromEntries(relays.map(({ source, received }) => [source, received]));
    }
    const changesOf = (person: string) =>
      relayed.lockstep.database.db
        .selectFrom('change')
        .select(['state', 'ended_at as ended'])
        .where('identity_name', '=', person)
        .execute();
    /** Waits until no capture and no change is in progress, and no further capture arrives. */
    async function settled(): Promise<void> {
      for (let before = ''; ; ) {
        await until(async () => {
          const relays = await listRelays(relayed.lockstep.database.db);
          return relays.every(({ backlog, open }) => backlog === 0 && open === 0);
        });
        await until(async () => {
          const open = await relayed.lockstep.database.db
            .selectFrom('change')
            .select('id')
            .where('ended_at', 'is', null)
            .execute();
          return open.length === 0;
        });
        const now = JSON.stringify(await receivedBySource());
        if (now === before) return;
        before = now;
        // A relay polls its outbox every second.
        await new Promise((resolve) => setTimeout(resolve, 2_500));
      }
    }

    test.each(everyNth(2, cases))(
      'in %s, a captured password is written to every account at most once',
      async (_title, members, origin) => {
        await connect(members);
        const { person, accounts } = await newPerson(...members);
        const before = await receivedBySource();
        const word = newPassword();
        const there = accounts.find(({ source }) => source === origin) as CompanyAccount;
        await changeThere(there, word);
        // slapd does not call the check module for a hash, so the directories capture none.
        const isSilent = (source: string) => origin === 'crm' && source !== 'crm';
        const expected: Record<string, number> = Object.fromEntries(
          accounts.map(({ source }) => [source, isSilent(source) ? 0 : 1]),
        );
        const captured = async () => {
          const after = await receivedBySource();
          const writesTo = (source: string) => (after[source] ?? 0) - (before[source] ?? 0);
          return Object.fromEntries(Object.keys(expected).map((name) => [name, writesTo(name)]));
        };
        await until(async () => (await changesOf(person)).length > 0);
        // Each write is captured, however late. Then it shows whether one is captured twice.
        await until(async () => {
          const now = await captured();
          return Object.entries(expected).every(([source, count]) => (now[source] ?? 0) >= count);
        });
        await settled();
        expect(await changesOf(person)).toMatchObject([{ state: 'done' }]);
        expect(await holders(accounts, word)).toEqual(accounts.map(() => true));
        expect(await captured()).toEqual(expected);
      },
    );
  });
});
