import { started } from './global-setup';

export default async function globalTeardown(): Promise<void> {
  await Promise.all(started.map((server) => server.stop()));
}
