import type { NoticeChannel } from '../configuration/document';
import { isMailAddress } from './mail-address';

/** The current mail address of a person, in the attribute that the channel names; null if it is not a valid address. */
export function addressOf(
  { settings }: NoticeChannel,
  attributes: Readonly<Record<string, string>> | null,
): string | null {
  const address = attributes?.[String(settings.addressAttribute ?? 'mail')];
  return address !== undefined && isMailAddress(address) ? address : null;
}
