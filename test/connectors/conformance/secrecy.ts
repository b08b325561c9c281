import { Secret } from '../../../model/passwords/secret';
import { asking } from '../requests';
import { type Bench, freshPassword, remembered, verify, write } from './bench';

export function secrecyPromises({ subject, promise, direct }: Bench): void {
  // Every answer of every promise is searched for every password of the run (`watched` in bench.ts). Here the server is
  // made to say it.
  promise('a server that repeats the password in its error is not passed on', async () => {
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

  promise('the password is borrowed: it is still whole after each call', async () => {
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
