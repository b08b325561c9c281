import { generatedName, type NameRule } from '../../../model/people/generated-name';

const rule: NameRule = {
  ...{ from: 'name', stripDomain: false, case: null, prefix: '', suffix: '', limit: null },
};
const person = (name: string, attributes = {}) => ({ name, attributes });

test.each<[string, Partial<NameRule>, string, string | null]>([
  ['nothing', {}, 'Alice', 'Alice'],
  ['the domain', { stripDomain: true }, 'CORP\\alice@corp.example', 'alice'],
  ['the case', { case: 'upper' }, 'straße', 'STRASSE'],
  [
    'the length, without its prefix and suffix',
    { prefix: 'X', suffix: '-T', limit: 6 },
    'alice',
    'Xali-T',
  ],
  ['the length, by characters and not by halves of them', { limit: 2 }, '𝒜𝒷𝒸', '𝒜𝒷'],
  ['everything, so that no name is left', { stripDomain: true }, '@corp.example', null],
  ['more than the limit leaves', { prefix: 'LONG', limit: 4 }, 'alice', null],
])('a rule for names changes %s', (_what, changes, name, expected) => {
  expect(generatedName({ ...rule, ...changes }, person(name))).toBe(expected);
});

test('a rule for names uses an attribute of the person, and never one that every object has', () => {
  const carol = person('carol', { login: 'c.ng' });
  expect(generatedName({ ...rule, from: 'login' }, carol)).toBe('c.ng');
  expect(generatedName({ ...rule, from: 'mail' }, carol)).toBeNull();
  expect(generatedName({ ...rule, from: 'constructor' }, carol)).toBeNull();
});
