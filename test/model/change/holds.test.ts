import {
  type HeldCode,
  type HeldFacts,
  type Holds,
  heldCode,
  holdsAfter,
} from '../../../model/change/holds';

const facts = (given: Partial<HeldFacts>): HeldFacts => ({
  state: 'applied',
  reason: null,
  proof: 'none',
  inDoubt: false,
  attempts: 1,
  isOrigin: false,
  isOvertaken: false,
  isChangedSince: false,
  ...given,
});

test.each<[string, Partial<HeldFacts>, Holds, HeldCode]>([
  ['a verified account holds the new password', { proof: 'login' }, 'new', 'verified'],
  [
    'an account whose source gave success holds the new password without verification',
    {},
    'new',
    'accepted',
  ],
  [
    'the account in which the password was changed holds it',
    { reason: 'origin', isOrigin: true, attempts: 0 },
    'new',
    'changed_there',
  ],
  [
    'the account in which the password was changed holds it also if the change was refused',
    { state: 'rejected', reason: 'mapping_conflict', isOrigin: true, attempts: 0 },
    'new',
    'changed_there',
  ],
  [
    'the account in which the password was changed holds it also if the auth account was not changed',
    { state: 'not_attempted', reason: 'auth_unchanged', isOrigin: true, attempts: 0 },
    'new',
    'changed_there',
  ],
  [
    'a capture of another account says nothing about the account',
    { state: 'rejected', reason: 'capture_of_another_account', attempts: 0 },
    'unknown',
    'another_account',
  ],
  [
    'an account that a newer change has written holds a newer password',
    { proof: 'login', isOvertaken: true },
    'newer',
    'newer_change',
  ],
  [
    'an account that was changed in its source since holds a newer password',
    { proof: 'login', isChangedSince: true },
    'newer',
    'changed_since',
  ],
  [
    'an account whose answer was lost holds either password',
    { state: 'expired', reason: 'too_old', inDoubt: true },
    'unknown',
    'in_doubt',
  ],
  ['an account that is being written holds either', { state: 'applying' }, 'unknown', 'in_doubt'],
  [
    'a captured account that is in doubt holds either password',
    { state: 'waiting', isOrigin: true, inDoubt: true },
    'unknown',
    'in_doubt',
  ],
  [
    'an account that its source refused keeps its password',
    { state: 'rejected', reason: 'policy_history' },
    'earlier',
    'refused',
  ],
  [
    'an account that a rule left out keeps its password',
    { state: 'not_applicable', reason: 'mapping_disabled', attempts: 0 },
    'earlier',
    'not_written',
  ],
  [
    'nothing is known about an account that was not found',
    { state: 'not_applicable', reason: 'no_account_found' },
    'unknown',
    'no_account',
  ],
  [
    'an account that was left to a newer change before any attempt keeps its password until then',
    { state: 'superseded', attempts: 0 },
    'earlier',
    'not_written',
  ],
  [
    'an account that was found with a newer password holds an unknown one',
    { state: 'superseded' },
    'unknown',
    'replaced',
  ],
  ['a cancelled account keeps its password', { state: 'cancelled' }, 'earlier', 'not_written'],
  ['a waiting account keeps its password', { state: 'waiting' }, 'earlier', 'not_written'],
  [
    'a pending account keeps its password',
    { state: 'pending', attempts: 0 },
    'earlier',
    'not_written',
  ],
])('%s', (_title, given, holds, code) => {
  expect([holdsAfter(facts(given)), heldCode(facts(given))]).toEqual([holds, code]);
});
