import { describeWith } from '../support/servers';
import { conformance } from './conformance';
import { type PulledSystem, pullSubject, startPulledSystem } from './pull-subject';

describeWith(['postgres'], 'the connector pull', () => {
  let system: PulledSystem;
  beforeAll(async () => {
    system = await startPulledSystem();
  });
  afterAll(() => system.stop());
  conformance(pullSubject(() => system));
});
