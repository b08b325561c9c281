import { z } from 'zod';

/** The kind of source whose adapter pulls its changes. */
export const PULL_KIND = 'pull';

export const pullSettings = z.strictObject({
  retryCount: z
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe(
      'How often a message is delivered again without an acknowledgement. After that the account is reported as failed.',
    ),
  retryDelaySeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe(
      'The time that the adapter has to acknowledge a message, in seconds. Then it is delivered again.',
    ),
  maxPending: z
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .describe(
      'Maximum number of unacknowledged messages. With that many, the adapter receives no more.',
    ),
  storeWhenOffline: z
    .boolean()
    .default(true)
    .describe(
      'While the adapter is offline, its accounts wait until their change is too old. false: they are reported as failed at once.',
    ),
  maxAgeSeconds: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Age after which a change is not delivered any more, in seconds since the change. Default: the age limit of changes.',
    ),
  names: z
    .enum(['exact', 'ignore-case'])
    .default('exact')
    .describe(
      'How the system compares names. ignore-case: names that differ only in case belong to one account.',
    ),
});

/** The settings that an administrator of Enterprise SSO knows as the properties of an adapter. */
export const adapterProperties = [
  ...(['retryCount', 'retryDelaySeconds', 'maxPending'] as const),
  ...(['storeWhenOffline', 'maxAgeSeconds'] as const),
] satisfies readonly (keyof typeof pullSettings.shape)[];

/** The value of a property as an administrator types it: a number, `yes` or `no`; undefined for `default`. */
export function adapterProperty(text: string): number | boolean | undefined {
  if (text === 'default' || text === '') return undefined;
  return text === 'yes' || text === 'no' ? text === 'yes' : Number(text);
}

export type PullSettings = z.infer<typeof pullSettings>;
