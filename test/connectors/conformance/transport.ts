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
      `a certificate of ${what} leads to retry with certificate_refused, and nothing is written`,
      async () => {
        const account = await subject.account();
        const { connector, proxy } = await proxied(subject.wrong[name]);
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

  promise('an impostor in the place of the server receives nothing', async () => {
    const account = await subject.account();
    const stranger = await impostor();
    const connector = await at(stranger.address);
    expect(await write(connector, account, freshPassword())).toMatchObject({
      result: 'retry',
      reason: 'certificate_refused',
    });
    await verify(connector, account, account.password);
    await connector.check();
    expect(await stranger.heard()).toEqual(Buffer.alloc(0));
  });

  promise(
    'a wrong service password leads to retry with service_credential_refused after a single login',
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

  promise('the settings accept correct values', async () => {
    expect(accepts({})).toBe(true);
  });

  promise('the settings reject a connection without TLS', async () => {
    expect(accepts(subject.wrong.plaintext)).toBe(false);
  });

  promise('the settings reject an unknown key', async () => {
    expect(accepts({ passwrod: 'x' })).toBe(false);
  });

  promise('the settings reject a secret that is not a reference', async () => {
    expect(kind().secretSettings.length).toBeGreaterThan(0);
    for (const name of kind().secretSettings) expect(accepts({ [name]: 'in clear' })).toBe(false);
  });

  promise('check finds nothing wrong with correct settings', async () => {
    const findings = await (await direct()).check();
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.filter((finding) => finding.verdict === 'wrong')).toEqual([]);
  });

  for (const [what, check, name] of [
    ['a certificate that is not trusted', 'tls', 'authority'],
    ['a wrong service password', 'service-login', 'servicePassword'],
    ['missing rights', 'rights', 'rights'],
  ] as const) {
    promise(`check reports ${what}`, async () => {
      const findings = await (await direct(subject.wrong[name])).check();
      const wrong = findings.filter((finding) => finding.verdict === 'wrong');
      expect(wrong.map((finding) => finding.check)).toEqual([check]);
    });
  }

  promise('check reports an unreachable server and does not throw', async () => {
    const { connector, proxy } = await proxied();
    await proxy.refuse();
    const findings = await connector.check();
    expect(findings.some((finding) => finding.verdict === 'wrong')).toBe(true);
  });
}
