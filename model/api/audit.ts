import { z } from 'zod';
import { time } from './fields';

/** Who did something. */
export const actorSchema = z
  .object({
    id: z.string().describe('`api-key:` and its id, the id of a relay, `worker` or `lockstep`.'),
    name: z
      .string()
      .nullable()
      .describe('The name of the API key, or the source of the relay; null if it is gone.'),
    agent: z.string().nullable().describe('Who uses the API key.'),
    issuer: z
      .string()
      .nullable()
      .describe('The identity provider at which the agent signed in; null for an API key.'),
    says: z.string().describe('The actor, for a person to read.'),
  })
  .meta({ id: 'Actor' });

/** A record of the audit as `GET /v1/audit` returns it. */
export const auditRecordSchema = z
  .object({
    position: z
      .int()
      .nullable()
      .describe(
        'The position in the audit chain; null until a worker has chained the record, a moment after it was written.',
      ),
    at: time,
    actor: actorSchema,
    action: z.string(),
    severity: z.enum(['info', 'notice', 'warning']),
    says: z.string().describe('What happened, as a sentence without the actor.'),
    person: z.string().nullable(),
    source: z.string().nullable(),
    account: z.string().nullable(),
    change: z.string().nullable().describe('The id of the change.'),
    subject: z
      .string()
      .nullable()
      .describe('What was acted on: an id, or the label of an account in its change.'),
    subjectName: z
      .string()
      .nullable()
      .describe('The name of the key, relay or application that was acted on; null if it is gone.'),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditRecord' });

export const auditPageSchema = z.object({
  records: z.array(auditRecordSchema),
  next: z.string().nullable().describe('The cursor of the next page; null on the last one.'),
  end: z
    .string()
    .describe(
      'The cursor with which `order=oldest` continues after the newest chained record that was searched, so that a reader can follow.',
    ),
});

export type AuditRecordAnswer = z.output<typeof auditRecordSchema>;
export type AuditPage = z.output<typeof auditPageSchema>;
