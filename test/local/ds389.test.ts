import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { type Ds389, managerDn, startDs389 } from '../../local/ds389';
import { isRoot } from '../../local/places';
import { freePort } from '../../local/ports';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MANAGER_PASSWORD = 'of the manager';
const PERSON = 'cn=ada,dc=log';

describeWith(['ds389'], 'startDs389', () => {
  let parent: string;
  let server: Ds389;
  let manager: Client;

  beforeAll(async () => {
    const shared = isRoot ? '/var/tmp' : path.resolve('.lockstep');
    mkdirSync(shared, { recursive: true });
    parent = mkdtempSync(path.join(shared, 'ds389-test-'));
    chmodSync(parent, 0o755);
    server = await startDs389({
      dir: path.join(parent, 'server'),
      port: await freePort(),
      managerHash: ssha(Secret.fromText(MANAGER_PASSWORD)),
      suffixes: ['dc=log'],
      config: { 'nsslapd-unhashed-pw-switch': 'on', 'nsslapd-allow-hashed-passwords': 'on' },
      changelog: true,
      report: () => {},
    });
    manager = clientOf(server);
    await manager.bind(managerDn, MANAGER_PASSWORD);
    await manager.add('dc=log', {
      objectClass: ['top', 'domain'],
      dc: 'log',
      aci: '(targetattr="*")(version 3.0; acl "self"; allow (all) userdn="ldap:///self";)',
    });
    await manager.add(PERSON, {
      ...{ objectClass: 'person', cn: 'ada', sn: 'Ada', userPassword: 'first-1' },
    });
  });
  afterAll(async () => {
    await manager?.unbind();
    await server?.stop();
    rmSync(parent, { recursive: true });
  });

  const clientOf = ({ url, caFile }: Ds389) =>
    new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 50_000 });

  const setPassword = async (client: Client, value: string) => {
    const modification = new Attribute({ type: 'userPassword', values: [value] });
    await client.modify(PERSON, new Change({ operation: 'replace', modification }));
  };

  const logIn = async (password: string) => {
    const person = clientOf(server);
    await person.bind(PERSON, password);
    return person;
  };

  test('the server keeps a changelog when asked to, and clear-text passwords in it when its configuration asks for them', async () => {
    await setPassword(manager, 'in-clear-1');
    const logged = async () => {
      const { searchEntries } = await manager.search('cn=changelog', {
        scope: 'one',
        filter: '(changeNumber>=1)',
        attributes: ['changes'],
      });
      return searchEntries.map(({ changes }) => String(changes)).join('');
    };
    await until(async () => (await logged()).includes('unhashed#user#password: in-clear-1'));
  });

  test('the server applies the given attributes of its configuration: an account that is no manager may write a hash', async () => {
    await setPassword(manager, 'second-2');
    const person = await logIn('second-2');
    await setPassword(person, ssha(Secret.fromText('third-3')));
    await person.unbind();
    await (await logIn('third-3')).unbind();
  });
});
