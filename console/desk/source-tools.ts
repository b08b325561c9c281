import type { Source } from '../../model/api/sources';
import { type Html, html } from '../html';
import { cliCommand, commandButton, withCommand } from './shell';

/** What an operator can do with a source as it is now. */
export function sourceTools({ name, state, reason, waiting, parked }: Source): Html[] {
  const at = (command: string) => `/console/sources/${encodeURIComponent(name)}/${command}`;
  return [
    ...(state === 'up' || reason === 'source_in_maintenance'
      ? []
      : [
          withCommand(
            commandButton(at('resume'), state === 'paused' ? 'Resume' : 'Probe now'),
            'lockstep sources resume',
            name,
          ),
        ]),
    ...(state === 'paused'
      ? []
      : [withCommand(commandButton(at('pause'), 'Pause'), 'lockstep sources pause', name)]),
    ...(waiting + parked > 0 && state !== 'paused'
      ? [
          html`<span class="pair"><a class="button" href="${previewOf(name, 'retry', null)}">Retry ${accountsText(waiting + parked)}</a>${cliCommand('lockstep sources retry', name)}</span>`,
        ]
      : []),
    withCommand(commandButton(at('check'), 'Check'), 'lockstep doctor', name),
  ];
}

/** A command for what waits for a source. */
export type Verb = 'retry' | 'park' | 'cancel';

export const verbTitles = { retry: 'Retry', park: 'Park', cancel: 'Cancel' } as const;

export const accountsText = (count: number): string =>
  count === 1 ? '1 account' : `${count} accounts`;

/** The address of the preview of a command for what waits for a source. */
export function previewOf(name: string, verb: Verb, reason: string | null): string {
  const query = reason === null ? '' : `?${new URLSearchParams({ reason })}`;
  return `/console/sources/${encodeURIComponent(name)}/${verb}${query}`;
}
