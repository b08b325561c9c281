import { foldedPoints } from './folding';
import { holdsWord, isWord, wordList } from './word-list';

/**
 * True for a password that attackers try first: one of the most used passwords, once or repeated, or a row of keys. It
 * compares whole passwords, as NIST SP 800-63B-4 §3.1.1.2 requires, and ignores case. For a list of millions of
 * passwords see the rule `blocklist`.
 */
export const isCommon = (folded: Uint32Array): boolean =>
  isWord(folded, words) || isPartOfRow(folded);

function isPartOfRow(folded: Uint32Array): boolean {
  const [first] = folded;
  if (first === undefined) return false;
  const wanted = new Map([[first, [folded]]]);
  return rows.some((row) => holdsWord(row, wanted));
}

const twice = (row: string): readonly string[] => [
  row.repeat(2),
  [...row].reverse().join('').repeat(2),
];

const rows = [
  ...['0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz'],
  ...['qwertyuiopasdfghjklzxcvbnm', 'qwertzuiopasdfghjklyxcvbnm', 'azertyuiopqsdfghjklmwxcvbn'],
  ...['1qaz2wsx3edc4rfv5tgb6yhn7ujm', 'q1w2e3r4t5y6u7i8o9p0', '1q2w3e4r5t6y7u8i9o0p'],
  ...['qazwsxedcrfvtgbyhnujm', '1qazxsw23edcvfr45tgbnhy6', 'qweasdzxcrtyfghvbn'],
]
  .flatMap(twice)
  .map(foldedPoints);

const words = wordList([
  ...'abcdefghijklmnopqrstuvwxyz0123456789!.*',
  ...`
  000111222333 010203040506 0987654321qwerty 101112131415 102030405060 111222333444555 111222333444
  112233445566 11223344556677889900 1122334455667788 122333444455555 123123 123321 123456654321
  123456789987654321 12345678900987654321 1234567890987654321 12345678987654321 1234567887654321
  123456123456 123456789qwerty 1234567890qwerty 1234qwer 1234qwerasdf 1234qwerasdfzxcv 123abc
  123qwe 123qweasd 123qweasdzxc 147258369 159753 1593572486 159357258456 1q2w3e 1qaz2wsx
  1qaz2wsx3edc 1qaz2wsx3edc4rfv 4815162342 696969 741852963 789456123 963852741 a1b2c3 a1b2c3d4
  a1b2c3d4e5 a1b2c3d4e5f6 a1b2c3d4e5f6g7h8 aa123456 abc123 abcd1234 abcdefg123 access admin
  admin123 admin1234 admin12345 administrator administrator1 administrator123 adminadmin
  adminpassword asdf1234 asdfgh123456 ashley baseball batman changeit changeme changeme123
  changemenow charlie chocolate cocacola computer correcthorsebatterystaple default
  defaultpassword donald dragon employee everybody123 football freedom fuckyou godisgood
  guest hallo123 hello hello123 helloworld helloworld123 hottie idontknow iloveyou iloveyou1
  iloveyou123 iloveyousomuch iloveyouforever iloveyoubaby iloveyoutoo iloveyou12345 ingodwetrust
  internet jesus jesuschrist jesuslovesme jesusislord jordan23 justinbieber killer letmein
  letmein1 letmein123 letmeinnow letmeinplease liverpoolfc lockstep login loveme lovely master
  michael michaeljackson minecraft123 monkey monkey123 motherfucker mustang mynameis mypassword
  mypassword1 mypassword123 mypasswordis nopassword nothing pa55word pass pass123 pass1234
  passw0rd p@ssw0rd p@ssword p@$$w0rd pass@123 pass@word1 passphrase password password! password0
  password01 password1 password1! password12 password12! password123 password123! password1234
  password12345 password123456 password1234567 password12345678 password123456789
  password1234567890 passwordpassword1 passwordpassword123 passwort passwort1 passwort123 peace
  photoshop pokemon princess princess1 qazwsx123456 qwe123 qweasd qwerty1 qwerty12 qwerty123
  qwerty1234 qwerty12345 qwerty123456 qwerty123456789 qwerty1234567890 qwertyuiop12345
  qwertyuiop123 qwertyuiop1234567890 qwer1234 qwertyasdfgh qwertyasdfghzxcvbn reallystrongpassword
  root rootroot secret secret123 shadow solo starwars summer summer2024 summer2025 sunshine
  superman supersecret supersecretpassword temp1234 temppassword temppassword1 test test123
  test1234 test12345 testing testing123 testpassword testtest thisisapassword thisismypassword
  thisisasecret thisisnotapassword thomas trustno1 trustnobody unknown user username welcome
  welcome1 welcome123 welcome1234 welcome@123 whatever winter2024 winter2025 workhard yourpassword
  zaq12wsx zaq1xsw2cde3 zxcvbnm123 zxcvbnm123456789`
    .trim()
    .split(/\s+/),
]);
