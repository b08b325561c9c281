import { replicasCovered } from '../../../model/captures/replica';
import { keeps } from '../../support/rules';

const relay = (host: string | null, covers: 'host' | 'source' = 'host') => ({
  id: 'rly_1',
  ...{ host, covers },
});
const covered = (host: string, by: ReturnType<typeof relay>) =>
  replicasCovered([{ host, writable: true }], [by])[0]?.relay === 'rly_1';

test(
  keeps('a server without a relay is reported as not covered, and one with a relay as covered', 23),
  () => {
    const servers = ['dc1.example.com', 'dc2.example.com'].map((host) => ({
      host,
      writable: true,
    }));
    expect(replicasCovered(servers, [relay('dc1')])).toEqual([
      { host: 'dc1.example.com', writable: true, relay: 'rly_1' },
      { host: 'dc2.example.com', writable: true, relay: null },
    ]);
  },
);

test.each([
  ['dc1.example.com', 'DC1.EXAMPLE.COM', true],
  ['dc1.example.com', 'dc1', true],
  ['dc1', 'dc1.example.com', true],
  ['dc1.example.com', 'dc1.example.com.', true],
  ['dc1.example.com', 'dc1.example.org', false],
  ['dc10.example.com', 'dc1', false],
  ['dc1.example.com', 'example.com', false],
])(
  'a relay on the machine that is named second covers the server that is named first: %s, %s: %s',
  (server, machine, same) => {
    expect(covered(server, relay(machine))).toBe(same);
  },
);

test('a relay that captures all of its source covers every server, and one of an unknown machine covers none', () => {
  expect(covered('dc9.example.com', relay('dc1.example.com', 'source'))).toBe(true);
  expect(covered('dc9.example.com', relay(null))).toBe(false);
});
