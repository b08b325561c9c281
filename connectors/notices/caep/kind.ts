import type { NoticeChannelKind } from '../contract';
import type * as Driver from './caep';
import { type CaepSettings, caepSettings } from './settings';

/** A receiver of CAEP events (OpenID Shared Signals), by push (RFC 8935). It gets changed passwords only. */
export const caep: NoticeChannelKind<CaepSettings> = {
  settings: caepSettings,
  secretSettings: ['token'],
  serves: () => ['people'],
  open: (settings, tools) => (require('./caep') as typeof Driver).openCaep(settings, tools),
};
