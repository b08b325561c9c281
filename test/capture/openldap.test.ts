import { chmodSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { ConstraintViolationError } from 'ldapts';
import type { HandOverListener } from '../../capture/hand-over/listener';
import { Secret } from '../../model/passwords/secret';
import type { TestAccount } from '../connectors/conformance/subject';
import { type LdapAdmin, ldapAdmin, ldapSubject } from '../connectors/ldap-subject';
import { openSubject } from '../connectors/open-subject';
import { asking } from '../connectors/requests';
import { changeUnderPolicy, checkedPolicy } from '../support/checked-directory';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import {
  compiler,
  compileShim,
  listenAsRelay,
  openFolder,
  type ReceivedCapture,
} from '../support/shims';

const suite = compiler === null ? describe.skip : describe;

suite(`the check module of OpenLDAP${compiler === null ? ' (skipped: no C compiler)' : ''}`, () => {
  describeWith(['slapd'], 'in slapd', () => {
    const folder = openFolder();
    const socket = path.join(folder, 'relay.sock');
    const received: ReceivedCapture[] = [];
    const subject = ldapSubject({ title: 'closed', suffix: suffixes.free, changes: {} });
    let directory: LdapAdmin;
    let module: string;
    let relay: HandOverListener | null = null;

    beforeAll(async () => {
      module = compileShim('openldap/lockstep_check.c');
      directory = await ldapAdmin(suffixes.free);
    });
    beforeEach(() => received.splice(0));
    afterEach(async () => {
      await relay?.close();
      relay = null;
    });
    afterAll(() => directory.close());

    /** @param argument of the module */
    async function person(argument: string, more: Record<string, string> = {}) {
      const policy = await checkedPolicy(directory, suffixes.free, module, argument, more);
      return directory.addAccount({ pwdPolicySubentry: policy });
    }
    const change = ({ ref }: TestAccount, next: string) =>
      changeUnderPolicy(suffixes.free, ref.name, next);
    const listen = async () => {
      relay = await listenAsRelay(socket, received);
    };

    test.each([
      ['quotes and backslashes', '"quoted" \\ \'and\' back'],
      ['emoji', 'Grüße an 🔐 Schlüssel'],
      ['line ends', 'one\nand\ttwo\r\nlines'],
      ['256 characters', `${'x'.repeat(255)}!`],
    ])('the module hands over a changed password byte for byte: %s', async (_what, next) => {
      await listen();
      const account = await person(`open:${socket}`);
      await change(account, next);
      expect(received).toEqual([{ account: account.ref.name, password: next }]);
      expect(await directory.logsIn(account, next)).toBe(true);
    });

    test('in mode open, slapd accepts a change while no relay answers', async () => {
      const account = await person(`open:${socket}`);
      await change(account, 'No relay is listening');
      expect(await directory.logsIn(account, 'No relay is listening')).toBe(true);
    });

    test('in mode closed, slapd refuses a change with a message to try again while no relay answers', async () => {
      const account = await person(`closed:${socket}`);
      const refused = change(account, 'No relay is listening');
      await expect(refused).rejects.toThrow(ConstraintViolationError);
      await expect(refused).rejects.toThrow('try again');
      expect(await directory.logsIn(account, account.password)).toBe(true);
      await listen();
      await change(account, 'Now a relay is listening');
      expect(received).toEqual([
        { account: account.ref.name, password: 'Now a relay is listening' },
      ]);
    });

    test('a write by Lockstep waits for the relay of a closed module, instead of being rejected as too simple', async () => {
      const connector = await openSubject(subject);
      const account = await person(`closed:${socket}`);
      const write = () =>
        connector.setPassword(asking(account.ref, Secret.fromText('From Lockstep')));
      expect(await write()).toMatchObject({ result: 'retry', reason: 'busy' });
      await listen();
      expect(await write()).toMatchObject({ result: 'applied' });
      await connector.close();
    });

    test('a relay that does not answer delays no change beyond the deadline', async () => {
      const silent = path.join(folder, 'silent.sock');
      const server = net.createServer(() => {});
      await new Promise<void>((resolve) => server.listen(silent, resolve));
      chmodSync(silent, 0o666);
      const [open, closed] = [await person(`open:${silent}`), await person(`closed:${silent}`)];
      await change(open, 'It goes on without');
      await expect(change(closed, 'It goes on without')).rejects.toThrow(ConstraintViolationError);
      server.close();
    });

    test('the module does not affect logins, even while no relay answers', async () => {
      const account = await person(`closed:${socket}`);
      expect(await directory.logsIn(account, account.password)).toBe(true);
      expect(await directory.logsIn(account, 'a wrong one')).toBe(false);
    });

    test('a password that is too short for the policy is not handed over', async () => {
      await listen();
      const account = await person(`open:${socket}`, { pwdMinLength: '40' });
      await expect(change(account, 'short')).rejects.toThrow(ConstraintViolationError);
      expect(received).toEqual([]);
    });

    test('a password that slapd refuses because of its history is handed over as a candidate', async () => {
      await listen();
      const account = await person(`open:${socket}`, { pwdInHistory: '3' });
      await change(account, 'The first of two');
      await change(account, 'The second of two');
      await expect(change(account, 'The first of two')).rejects.toThrow(ConstraintViolationError);
      expect(received.map(({ password }) => password)).toEqual([
        'The first of two',
        'The second of two',
        'The first of two',
      ]);
      expect(await directory.logsIn(account, 'The second of two')).toBe(true);
    });

    test('a wrong pwdCheckModuleArg refuses every change and says what it must be', async () => {
      const account = await person('opne:/run/relay.sock');
      await expect(change(account, 'Whatever it is')).rejects.toThrow('pwdCheckModuleArg');
    });
  });
});
