import { describeWith } from '../support/servers';
import { htpasswdByCommand } from './command-subject';
import { conformance } from './conformance';

describeWith(['nginx'], 'command', () => {
  conformance(htpasswdByCommand);
});
