import { NotSent } from '../../connectors/ldap/failures';
import { type Link, openLink } from '../../connectors/ldap/link';
import { type Call, newCall, poolOf } from '../../connectors/ldap/pool';
import { type ServerProxy, startProxy } from '../support/proxy';
import { describeWith, server } from '../support/servers';

describeWith(['slapd'], 'the pool of LDAP connections', () => {
  let proxy: ServerProxy;
  beforeEach(async () => {
    proxy = await startProxy({ host: '127.0.0.1', port: Number(server('slapd').port) });
  });
  afterEach(() => proxy.stop());

  const poolOfSize = (size: number) =>
    poolOf(size, (call: Call) =>
      openLink(
        {
          url: `ldaps://127.0.0.1:${proxy.address.port}`,
          ca: server('slapd').caFile,
          timeoutMs: 10_000,
        },
        call.remainingMs(),
      ),
    );
  /** Sends a request that is never answered. */
  const forever = async (link: Link) => {
    proxy.silence();
    await link.ask((client) => client.bind('cn=nobody', 'x'));
  };

  test('a call that exceeds its time loses its connection, and the next call gets another one', async () => {
    const pool = poolOfSize(1);
    await expect(pool.use(newCall(300), forever)).rejects.toThrow();
    await proxy.pass();
    const accepted = proxy.accepted();
    await pool.use(newCall(), async (link) => expect(link.usable()).toBe(true));
    expect(proxy.accepted()).toBe(accepted + 1);
    pool.close();
  });

  test('a call that waits too long for a connection fails with busy', async () => {
    const pool = poolOfSize(1);
    const first = pool.use(newCall(600), forever);
    await expect(pool.use(newCall(50), forever)).rejects.toMatchObject({ reason: 'busy' });
    await expect(first).rejects.toThrow();
    pool.close();
  });

  test('a connection serves one call at a time, is kept, and passes to the next waiting call', async () => {
    const pool = poolOfSize(2);
    let inUse = 0;
    const borrow = () =>
      pool.use(newCall(), async (link) => {
        inUse++;
        expect(inUse).toBeLessThanOrEqual(2);
        await link.ask((client) => client.bind('cn=nobody', 'x'));
        inUse--;
      });
    await Promise.all(Array.from({ length: 20 }, borrow));
    expect(proxy.accepted()).toBe(2);
    pool.close();
  });

  test('a connection is not used again after an error that does not concern an entry', async () => {
    const pool = poolOfSize(1);
    const unknownRequest = (link: Link) => link.ask((client) => client.exop('1.2.3.4.5'));
    expect(await pool.use(newCall(), unknownRequest)).toMatchObject({ ok: false, code: 2 });
    expect(await pool.use(newCall(), unknownRequest)).toMatchObject({ ok: false, code: 2 });
    expect(proxy.accepted()).toBe(2);
    pool.close();
  });

  test('closing the pool ends running calls, and no connection is opened afterwards', async () => {
    const pool = poolOfSize(2);
    const underWay = pool.use(newCall(), async (link) => {
      pool.close();
      await forever(link);
    });
    await expect(underWay).rejects.toThrow(NotSent);
    await proxy.pass();
    await expect(pool.use(newCall(), forever)).rejects.toThrow(NotSent);
  });
});
