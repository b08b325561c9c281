import type { Configuration, NoticeChannel } from '../../model/configuration/document';
import { channelNamed, channelsFor } from '../../model/configuration/notice-channels';
import { noticeKinds } from '../../model/notices/kinds';
import { isMailAddress } from '../../model/notices/mail-address';
import { addressOf } from '../../model/notices/person-address';
import type { Destination, NoticeToSpread } from '../../store/notices/spread';

/** Where a notice is sent by this configuration. A mail goes to each address on its own, so that none sees another. */
export function destinationsOf(
  configuration: Configuration,
  notice: NoticeToSpread,
): readonly Destination[] {
  if (notice.kind === 'test') return testDestinations(configuration, notice);
  if (notice.kind === 'one_time_link') return linkDestinations(configuration, notice);
  const { audience } = noticeKinds[notice.kind];
  return channelsFor(configuration, audience)
    .filter(([, { kind }]) => kind !== 'caep' || notice.kind === 'password_changed')
    .flatMap(([name, channel]) =>
      channel.kind === 'mail'
        ? mailed(name, audience === 'people' ? addressesOf(channel, notice) : operatorsOf(channel))
        : [{ channel: name, recipient: null, reason: null }],
    );
}

/**
 * A one-time link goes to the current address only, by one mail: the code of each mail replaces the one before. Other
 * channels, and addresses that the person had before, do not get it.
 */
const linkDestinations = (
  configuration: Configuration,
  { attributes }: NoticeToSpread,
): readonly Destination[] =>
  channelsFor(configuration, 'people')
    .filter(([, { kind }]) => kind === 'mail')
    .slice(0, 1)
    .flatMap(([name, channel]) => {
      const address = addressOf(channel, attributes);
      return mailed(name, address === null ? [] : [address]);
    });

function testDestinations(
  configuration: Configuration,
  { subject, recipient }: NoticeToSpread,
): readonly Destination[] {
  const name = subject ?? '';
  const channel = channelNamed(configuration, name);
  if (channel === undefined) return [];
  if (channel.kind !== 'mail') return [{ channel: name, recipient: null, reason: null }];
  return mailed(name, recipient === null ? operatorsOf(channel) : [recipient]);
}

const mailed = (channel: string, addresses: readonly string[]): readonly Destination[] =>
  addresses.length === 0
    ? [{ channel, recipient: null, reason: 'no_address' }]
    : addresses.map((recipient) => ({ channel, recipient, reason: null }));

/** The address of the person, and those that they had before. */
function addressesOf(
  { settings }: NoticeChannel,
  { attributes, formerAddresses }: NoticeToSpread,
): string[] {
  const attribute = String(settings.addressAttribute ?? 'mail');
  const current = attributes?.[attribute];
  const former = formerAddresses
    .filter((before) => before.attribute === attribute)
    .map(({ address }) => address);
  const all = [...(current === undefined ? [] : [current]), ...former];
  return [...new Set(all.filter(isMailAddress))];
}

const operatorsOf = ({ settings }: NoticeChannel): string[] =>
  Array.isArray(settings.to) ? settings.to.map(String) : [];
