import { Secret } from '../../../model/passwords/secret';
import { asking } from '../requests';
import { type Bench, freshPassword, remembered, verify, write } from './bench';

export function secrecyPromises({ subject, promise, direct }: Bench): void {
  // `watched` in bench.ts searches each answer for each password of the run. Here the server must repeat the password.
  promise('no answer contains a password that the server repeats in its error', async () => {
    const connector = await direct();
    const password = freshPassword();
    const account = { ref: subject.absent(password), password: '', key: '' };
    const answer = await write(connector, account, password);
    expect(answer).toMatchObject({ result: 'rejected', reason: 'no_account' });
    await verify(connector, account, password);
    await connector.state({ account: account.ref });
    await connector.find({ match: { [subject.findBy]: password }, limit: 1 });
  });

  promise('the service password is in no answer and in no finding', async () => {
    for (const secret of Object.values(subject.secrets)) remembered(secret);
    for (const changes of [{}, subject.wrong.servicePassword, subject.wrong.authority]) {
      const connector = await direct(changes);
      await connector.check();
      await connector.list({ cursor: null, pageSize: 1 });
    }
  });

  promise('the password of the caller is unchanged after each call', async () => {
    const connector = await direct();
    const account = await subject.account();
    const text = remembered(freshPassword());
    const password = Secret.fromText(text);
    await connector.setPassword(asking(account.ref, password));
    await connector.verify(asking(account.ref, password));
    expect(password.equals(Secret.fromText(text))).toBe(true);
    password.destroy();
  });
}
