import { z } from 'zod';
import { name } from './names';

/**
 * A source as an administrator of Enterprise SSO sees it: an external system, which gets passwords from the directory
 * and reports its own. Every flag is off at first, except the check of the old password (reference semantics §1.2).
 */
export const adapterSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('When false, nothing is written to this source, and none of its captures counts.'),
  applications: z
    .array(name)
    .default([])
    .describe(
      'The applications of this source that the adapter serves. An account takes part by an enabled mapping of one of them.',
    ),
  syncToAdapter: z
    .boolean()
    .default(false)
    .describe(
      'Writes changes to this source. It also needs `sso.switches.windowsToAdapters`, as every adapter does.',
    ),
  sendOldPassword: z
    .boolean()
    .default(false)
    .describe('Sends the stored password together with the new one, for a system that needs both.'),
  syncFromAdapter: z
    .boolean()
    .default(false)
    .describe(
      'Accepts passwords that are changed in this source. Without `capture`, the defaults of captures apply, but without `verifyCurrent`.',
    ),
  verifyOldPassword: z
    .boolean()
    .default(true)
    .describe(
      'Requires the old password in each capture, and compares it with the stored credential of the account.',
    ),
  changeWindowsPassword: z
    .boolean()
    .default(false)
    .describe(
      'Carries a captured password on to the directory and the other accounts, together with `sso.switches.adaptersToWindows`. Otherwise only the stored credential follows.',
    ),
  allowMappingConflicts: z
    .boolean()
    .default(false)
    .describe(
      'Accepts a change although the person has two accounts here, or two in the directory. When false, it is rejected before anything is written.',
    ),
  adapterGroup: name
    .optional()
    .describe('A group of adapters that are enabled, disabled and listed together.'),
});

export type Adapter = z.infer<typeof adapterSchema>;

/** The directions in which adapters synchronize. A direction needs its switch and the flag of the adapter. */
export const switchesSchema = z.strictObject({
  windowsToAdapters: z
    .boolean()
    .default(false)
    .describe('Whether changes are written to the sources with an adapter.'),
  adaptersToStore: z
    .boolean()
    .default(false)
    .describe('Whether a password that an adapter reports updates the stored credential.'),
  adaptersToWindows: z
    .boolean()
    .default(false)
    .describe('Whether a password that an adapter reports changes the directory, too.'),
});

export type Switches = z.infer<typeof switchesSchema>;

/**
 * What a capture of an adapter may change (reference semantics §1.1):
 * - `full`: the stored credential, the directory and the other accounts;
 * - `partial`: only the stored credential.
 */
export type InboundSync = 'full' | 'partial';

/** @returns null when a capture of the adapter may change nothing */
export function inboundSync(adapter: Adapter, switches: Switches): InboundSync | null {
  if (!adapter.enabled || !adapter.syncFromAdapter) return null;
  if (adapter.changeWindowsPassword && switches.adaptersToWindows) return 'full';
  return switches.adaptersToStore ? 'partial' : null;
}

/** The sources that get the old password with the new one. Two changes of an account there must not overlap. */
export const sourcesWithOldPassword = (configuration: {
  readonly sources: Readonly<Record<string, { readonly adapter?: Adapter | undefined }>>;
}): string[] =>
  Object.entries(configuration.sources).flatMap(([name, { adapter }]) =>
    adapter?.sendOldPassword === true ? [name] : [],
  );
