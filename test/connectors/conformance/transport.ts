import { connectorKinds } from '../../../connectors/registry';
import { type Bench, freshPassword, verify, write } from './bench';

export function transportPromises({
  subject,
  promise,
  direct,
  at,
  proxied,
  impostor,
}: Bench): void {
  const kind = () => {
    const found = connectorKinds.get(subject.kind);
    if (found === undefined) throw new Error(`No connector kind ${subject.kind}`);
    return found;
  };
  const good = () => subject.settings(subject.server);
  const accepts = (changes: object) => kind().settings.safeParse({ ...good(), ...changes }).success;

  for (const [what, name] of [
    ['another authority', 'authority'],
    ['another host name', 'hostName'],
  ] as const) {
    promise(
      `a certificate of ${what}: retry, certificate_refused, and nothing is written`,
      async () => {
        const account = await subject.account();
        const { connector, proxy } = await proxied({ ...subject.wrong[name], ...subject.hasty });
        const password = freshPassword();
        expect(await write(connector, account, password)).toMatchObject({
          result: 'retry',
          reason: 'certificate_refused',
        });
        expect(proxy.accepted()).toBe(1);
        expect(await subject.logsIn(account, account.password)).toBe(true);
      },
    );
  }

  promise('somebody else in the place of the server hears nothing', async () => {
    const account = await subject.account();
    const somebody = await impostor();
    const connector = await at(somebody.address, subject.hasty);
    expect(await write(connector, account, freshPassword())).toMatchObject({
      result: 'retry',
      reason: 'certificate_refused',
    });
    await verify(connector, account, account.password);
    await connector.check();
    expect(await somebody.heard()).toEqual(Buffer.alloc(0));
  });

  promise(
    'a wrong service password: retry, service_credential_refused, after one login',
    async () => {
      const account = await subject.account();
      const { connector, proxy } = await proxied(subject.wrong.servicePassword);
      expect(await write(connector, account, freshPassword())).toMatchObject({
        result: 'retry',
        reason: 'service_credential_refused',
      });
      expect(proxy.accepted()).toBe(1);
    },
  );

  promise('settings: the right ones are accepted', async () => {
    expect(accepts({})).toBe(true);
  });

  promise('settings: a connection without TLS is refused', async () => {
    expect(accepts(subject.wrong.plaintext)).toBe(false);
  });

  promise('settings: an unknown key is refused', async () => {
    expect(accepts({ passwrod: 'x' })).toBe(false);
  });

  promise('settings: a secret that is not a reference is refused', async () => {
    expect(kind().secretSettings.length).toBeGreaterThan(0);
    for (const name of kind().secretSettings) expect(accepts({ [name]: 'in clear' })).toBe(false);
  });

  promise('check: nothing is wrong with the right settings', async () => {
    const findings = await (await direct()).check();
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.filter((finding) => finding.verdict === 'wrong')).toEqual([]);
  });

  for (const [what, check, name] of [
    ['a certificate that is not trusted', 'tls', 'authority'],
    ['a wrong service password', 'service-login', 'servicePassword'],
    ['missing rights', 'rights', 'rights'],
  ] as const) {
    promise(`check: names ${what}`, async () => {
      const findings = await (await direct(subject.wrong[name])).check();
      const wrong = findings.filter((finding) => finding.verdict === 'wrong');
      expect(wrong.map((finding) => finding.check)).toEqual([check]);
    });
  }

  promise('check: a server that is away is named, not thrown', async () => {
    const { connector, proxy } = await proxied(subject.hasty);
    await proxy.refuse();
    const findings = await connector.check();
    expect(findings.some((finding) => finding.verdict === 'wrong')).toBe(true);
  });
}
