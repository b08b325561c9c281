import { drawGraph } from '../../api/graph/picture';
import { configurationSchema } from '../../model/configuration/document';
import { viewOf } from '../../model/graph/facts';

/**
 * Draws a configuration with one group.
 * @param sources the sources of the group, by name, with what differs from the default; `corp` is the auth source
 * @param more sources that are in no group
 */
function drawn(sources: Readonly<Record<string, object>>, more: object = {}): string {
  const all = Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [
      name,
      { kind: 'ldap', settings: {}, ...source },
    ]),
  );
  const configuration = configurationSchema.parse({
    version: 1,
    sources: { ...all, ...more },
    policies: { strong: { minLength: 15 } },
    groups: { one: { policy: 'strong', authSource: 'corp', sources: Object.keys(all) } },
  });
  const facts = { deploymentId: '', deploymentName: '', configurationVersion: 1, configuration };
  const view = viewOf({ ...facts, takesHashOnly: ({ kind }) => kind === 'postgres-role' });
  return drawGraph(view, (source) => source.length);
}

/** The style and tooltip of each box. */
const boxes = (picture: string): string[] =>
  [...picture.matchAll(/<g class="box (\w+)"><title>([^<]*)</g)].map(
    ([, style, title]) => `${style}: ${title}`,
  );

test('the picture shows the origins, the group, the auth source and the other sources', () => {
  const filter = { passwordFilter: { case: 'upper', maxLength: 8 } };
  const captured = { capture: { enabled: true } };
  expect(
    boxes(drawn({ corp: captured, apps: captured, db: { kind: 'postgres-role', ...filter } })),
  ).toEqual([
    'group: one, auth source corp, policy strong, continue',
    'api: api, changes by people and help desks',
    'captured: corp, captured, trusted',
    'captured: apps, captured, current password verified',
    'auth: corp, ldap, 4 accounts, auth source',
    'member: apps, ldap, 4 accounts',
    'member: db, postgres-role, 2 accounts, receives a hash only, filtered, weaker',
  ]);
});

test('a source that is disabled or in no group is drawn as receiving nothing', () => {
  const more = { lonely: { kind: 'ldap', settings: {} } };
  expect(boxes(drawn({ corp: {}, apps: { enabled: false } }, more)).slice(2)).toEqual([
    'auth: corp, ldap, 4 accounts, auth source',
    'off: apps, ldap, 4 accounts, disabled',
    'off: lonely, ldap, 6 accounts, in no group',
  ]);
});

test('every source behind a disabled auth source is drawn as receiving nothing', () => {
  const styles = boxes(drawn({ corp: { enabled: false }, apps: {} })).slice(2);
  expect(styles.map((box) => box.split(':')[0])).toEqual(['off', 'off']);
});

test('the picture has a stable description in words, and escapes names', () => {
  const sources = { corp: {}, apps: { kind: '"><script>&' } };
  const picture = drawn(sources);
  expect(picture).toBe(drawn(sources));
  expect(picture).toContain('role="img" aria-labelledby="title description"');
  expect(picture).toContain(
    'Group one: passwords come from api (changes by people and help desks) and go to corp (ldap, 4 accounts, auth source); apps (&quot;>&lt;script>&amp;, 4 accounts).',
  );
  expect(picture).not.toContain('<script');
});
