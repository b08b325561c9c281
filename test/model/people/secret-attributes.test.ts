import { isSecretLooking } from '../../../model/people/secret-attributes';

describe('attributes that may hold a password', () => {
  test.each([
    ['userPassword', 'anything'],
    ['unicodePwd', 'x'],
    ['sambaNTPassword', '0123456789ABCDEF'],
    ['password_hash', 'x'],
    ['apiToken', 'x'],
    ['description', '{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
    ['column7', '$2b$12$EixZaYVK1fsbw1ZfbX3OXe'],
    ['column8', '$argon2id$v=19$m=65536'],
  ])('%s with the value %s is not shown', (name, value) => {
    expect(isSecretLooking(name, value)).toBe(true);
  });

  test.each([
    ['mail', 'ada.marsh@harborlane.example'],
    ['passportNumber', 'C01X00T47'],
    ['cn', '{not closed'],
    ['title', '$5 an hour'],
    ['sAMAccountName', 'ada.marsh'],
  ])('%s with the value %s is shown', (name, value) => {
    expect(isSecretLooking(name, value)).toBe(false);
  });
});
