import { z } from 'zod';
import { time } from './fields';

/** A sign-in to the console with an API key. */

export const sessionSchema = z
  .object({
    id: z.string(),
    keyId: z.string().describe('The API key whose rights the session has.'),
    keyName: z.string().describe('The name or the agent of the key.'),
    createdAt: time,
    seenAt: time.describe('When its user last opened a page, accurate to the minute.'),
    expiresAt: time.describe('When it ends at the latest. It ends earlier when it is not used.'),
  })
  .meta({ id: 'Session' });

export const sessionsSchema = z.object({ sessions: z.array(sessionSchema) });

/** The sign-ins of one person. */
export const ownSessionsSchema = z.object({
  sessions: z.array(sessionSchema.omit({ keyId: true, keyName: true }).meta({ id: 'OwnSession' })),
});

export type OwnSessions = z.output<typeof ownSessionsSchema>;
export type Sessions = z.output<typeof sessionsSchema>;
