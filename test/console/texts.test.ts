import { openReason, personObstacle } from '../../console/person/reasons';
import { de } from '../../console/texts/de';
import { en } from '../../console/texts/en';

describe.each([en, de])('the texts for people in $lang', ({ rules, reasons }) => {
  test.each([1, '1', 3600])('no rule has a plural after the number one (%s)', (one) => {
    for (const text of Object.values(rules).map((rule) => rule(one)))
      expect(text).not.toMatch(
        /\b1 (more )?(upper-case |lower-case )?(characters|letters|digits|passwords|times|hours|Ziffern|Stunden|Passwörter)\b/,
      );
  });

  test('a rule with a larger number has a plural', () => {
    const [digits, history, hours] = [
      rules.minNumeric(2),
      rules.history(5),
      rules.minAgeSeconds(7200),
    ];
    expect([digits, history, hours]).toEqual(
      [
        ['2 digits', '5 passwords', '2 hours'],
        ['2 Ziffern', '5 Passwörter', '2 Stunden'],
      ][rules === en.rules ? 0 : 1]?.map((words) => expect.stringContaining(words)),
    );
  });

  test('what waits for a person is not said to be an outage, or to need nothing', () => {
    expect(reasons[openReason('parked', 'unreachable') ?? 'away']).toMatch(/help desk|Helpdesk/);
    for (const code of ['account_locked', 'account_disabled'])
      expect(reasons[openReason('waiting', code) ?? 'away']).toMatch(/help desk|Helpdesk/);
    expect(reasons[personObstacle('account_locked') ?? 'away']).not.toBe(reasons.locked);
    for (const code of ['source_paused', 'service_credential_refused', 'certificate_refused'])
      expect(reasons[openReason('waiting', code) ?? 'away']).toMatch(/operators|Betreiber/);
  });
});
