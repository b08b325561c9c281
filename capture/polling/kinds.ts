import type { z } from 'zod';
import { outbox } from './outbox/outbox';
import { pingDirectory } from './pingdirectory';
import type { Poller, PollerKind, PollerTools } from './poller';
import { retroChangelog } from './retro-changelog';

/** A kind of poller that parses its settings when it is opened, so that callers do not need their type. */
export interface RegisteredPoller {
  readonly kind: string;
  readonly settings: z.ZodType;
  readonly open: (settings: unknown, tools: PollerTools) => Promise<Poller>;
}

const register = <Settings>(kind: PollerKind<Settings>): RegisteredPoller => ({
  ...kind,
  open: (settings, tools) => kind.open(kind.settings.parse(settings), tools),
});

/** Every kind of poller. To add one, add a line here. */
const kinds: readonly RegisteredPoller[] = [
  register(outbox),
  register(retroChangelog),
  register(pingDirectory),
];

/** The pollers by the name that `poll.kind` in relay.json uses. */
export const pollerKinds: ReadonlyMap<string, RegisteredPoller> = new Map(
  kinds.map((kind) => [kind.kind, kind]),
);
