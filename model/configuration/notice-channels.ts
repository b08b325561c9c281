import type { Audience } from '../notices/kinds';
import type { Configuration, ConfigurationIssue, NoticeChannel } from './document';
import { type CheckedSettings, fieldIssues } from './field-issues';

/** The part of a kind of channel that the check uses. */
export interface CheckedChannelKind extends CheckedSettings {
  readonly serves: (settings: unknown) => readonly Audience[];
}

/** The channels for notices, by name, that are for this audience. */
export const channelsFor = (
  { notices }: Pick<Configuration, 'notices'>,
  audience: Audience,
): [name: string, channel: NoticeChannel][] =>
  Object.entries(notices).filter(([, channel]) => channel.for.includes(audience));

/** The channel of this name; undefined when there is none. */
export const channelNamed = (
  { notices }: Pick<Configuration, 'notices'>,
  wanted: string,
): NoticeChannel | undefined => (Object.hasOwn(notices, wanted) ? notices[wanted] : undefined);

/** The issues of the channels for notices. */
export const noticeIssues = (
  { notices }: Configuration,
  kinds: ReadonlyMap<string, CheckedChannelKind>,
): ConfigurationIssue[] =>
  Object.entries(notices).flatMap(([name, channel]) =>
    channelIssues(['notices', name], channel, kinds),
  );

function channelIssues(
  at: string[],
  { kind: kindName, for: audiences, settings }: NoticeChannel,
  kinds: ReadonlyMap<string, CheckedChannelKind>,
): ConfigurationIssue[] {
  const kind = kinds.get(kindName);
  if (kind === undefined) {
    const known = [...kinds.keys()].join(', ');
    return [
      {
        path: [...at, 'kind'],
        says: `there is no kind of channel "${kindName}"; there are: ${known}`,
      },
    ];
  }
  const issues = fieldIssues([...at, 'settings'], settings, kind);
  if (issues.length > 0) return issues;
  const served = kind.serves(settings);
  return audiences
    .filter((audience) => !served.includes(audience))
    .map((audience) => ({
      path: [...at, 'for'],
      says:
        kindName === 'mail'
          ? 'contains operators, so settings.to must list their mail addresses'
          : `contains ${audience}; a channel of the kind ${kindName} is for ${served.join(' and ')} only`,
    }));
}
