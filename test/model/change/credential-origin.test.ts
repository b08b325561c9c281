import { fromChange, fromRequest } from '../../../model/change/credential-origin';

test.each([
  ['a verified write', { proof: 'login' }, false, 'change_verified'],
  ['a write that was accepted', { proof: 'none' }, false, 'change_accepted'],
  ['a capture', { proof: 'none' }, true, 'captured'],
  ['a change of the directory alone', null, false, 'followed'],
] as const)('the credential of %s says how it came', (_title, outcome, isCaptured, expected) => {
  expect(fromChange(outcome, isCaptured)).toBe(expected);
});

test.each([
  ['a credential that a person set is verified', 'login', true, 'set_by_person'],
  ['a credential that an administrator set may be verified', 'hash', false, 'set_verified'],
  [
    'a credential that no login verified was set by an administrator',
    'none',
    false,
    'set_unverified',
  ],
] as const)('%s', (_title, proof, byPerson, expected) => {
  expect(fromRequest(proof, byPerson)).toBe(expected);
});
