import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { isDriverDeprecation } from './deprecations';

/**
 * Fails a test in which the driver of PostgreSQL warns about a call that its next version refuses. Node prints such a
 * warning once per process, where it is easily overlooked.
 */
export default class NoDeprecations extends TestEnvironment {
  private readonly warnings: Error[] = [];
  private readonly listen = (warning: Error): void => {
    if (isDriverDeprecation(`${warning.name}: ${warning.message}`)) this.warnings.push(warning);
  };

  override async setup(): Promise<void> {
    await super.setup();
    process.on('warning', this.listen);
  }

  async handleTestEvent(event: Circus.Event): Promise<void> {
    if (event.name !== 'test_done') return;
    // Node emits a warning in the next tick.
    await new Promise(setImmediate);
    event.test.errors.push(...this.warnings.splice(0));
  }

  override async teardown(): Promise<void> {
    process.off('warning', this.listen);
    await super.teardown();
    // It came after the last test.
    if (this.warnings.length > 0) throw this.warnings[0];
  }
}
