import { exactRules } from '../../model/people/naming';
import { saveIdentity } from '../../store/people/identities';
import { keeps } from '../support/rules';
import {
  attested,
  PASSWORD,
  pushedTo,
  type ScimProvider,
  scimFailure,
  startScimProvider,
} from '../support/scim-provider';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'users that an identity provider creates over SCIM', () => {
  let provider: ScimProvider;

  beforeAll(async () => {
    provider = await startScimProvider();
  });
  afterEach(() => provider.expectNoPassword());
  afterAll(() => provider.api.stop());

  test(keeps('the placeholder password of a created user is ignored', 27), async () => {
    const name = await provider.person();
    await provider.pushed(name, { password: PASSWORD });
    expect(await provider.changesOf(name)).toEqual([]);
  });

  test('the password of a created user starts a change if the source has createPassword set', async () => {
    await provider.configure(pushedTo({ ...attested, createPassword: true }));
    const [name, other] = [await provider.person(), await provider.person()];
    await provider.pushed(name, { password: PASSWORD });
    expect(await provider.changesOf(name)).toHaveLength(1);
    const refused = await provider.send('POST', '/Users', { userName: other, password: 'short' });
    expect(refused.body).toEqual(scimFailure(400, 'invalidValue'));
    // The rejected user was not created, so the provider can send it again.
    await provider.pushed(other, { password: PASSWORD });
    await provider.configure(pushedTo(attested));
  });

  test('a created user is not linked by default', async () => {
    await provider.pushed('newcomer', { emails: [{ value: 'newcomer@example.com' }] });
    expect(await provider.rows(`select from account where name = 'newcomer'`)).toEqual([]);
    expect(await provider.rows(`select from identity where name = 'newcomer'`)).toEqual([]);
  });

  test('a created user is linked by the rules of a refresh if the source has createLinks set', async () => {
    const rules = {
      correlate: [{ emails: 'mail' }],
      createIdentities: {
        name: 'userName',
        attributes: { mail: 'emails', first: 'name.givenName' },
      },
    };
    await provider.configure(
      pushedTo({ ...attested, createLinks: true, createPassword: true }, rules),
    );
    const { db } = provider.api.database;
    const known = (name: string, mail: string) =>
      saveIdentity(
        db,
        { name, attributes: { mail } },
        [{ source: 'directory', name: `d-${name}`, nativeId: null, primary: true }],
        'operator',
        'test',
        () => exactRules,
      );
    await known('hopper', 'g@example.com');
    await known('twin-1', 't@example.com');
    await known('twin-2', 't@example.com');
    const emails = (value: string) => [{ value: 'other' }, { value, primary: true }];
    await provider.pushed('grace.h', {
      emails: emails('g@example.com'),
      externalId: '00u9',
      password: PASSWORD,
    });
    await provider.pushed('twin-3', { emails: emails('t@example.com') });
    await provider.pushed('brand.new', {
      emails: emails('n@example.com'),
      name: { givenName: 'New' },
    });
    await provider.pushed('hopper', { emails: emails('x@example.com') });
    const linked =
      await provider.rows(`select i.name as person, i.attributes, a.name, a.native_id, a.linked_by
      from account a join identity i on i.id = a.identity_id
      where a.name in ('grace.h', 'twin-3', 'brand.new', 'hopper') order by a.name`);
    expect(linked).toEqual([
      {
        person: 'brand.new',
        attributes: { mail: 'n@example.com', first: 'New' },
        name: 'brand.new',
        native_id: null,
        linked_by: 'scim',
      },
      {
        person: 'hopper',
        attributes: { mail: 'g@example.com' },
        name: 'grace.h',
        native_id: '00u9',
        linked_by: 'scim',
      },
    ]);
    expect(await provider.changesOf('hopper')).toHaveLength(1);
    await provider.configure(pushedTo(attested));
  });
});
