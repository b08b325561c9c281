import { z } from 'zod';
import { sourceHistoriesSchema } from '../../model/api/source-history';
import { HISTORY_HOURS, type Outage } from '../../model/change/source-history';
import { errors, isErrorCode } from '../../model/errors';
import { readHistory } from '../../store/sources/history';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { sourceName } from '../http/schemas';
import { visibleSources } from './visible';

/** Lengths of a slot in minutes that the API offers. */
const slotLengths = [5, 15, 30, 60] as const;

const history = route({
  method: 'get',
  path: '/v1/source-history',
  right: 'read',
  summary: `See the last ${HISTORY_HOURS} hours of sources`,
  description:
    'How many accounts were written and refused, how many waited, and when each source was down or paused. A worker counts a few seconds after the fact.',
  query: z.strictObject({
    source: sourceName.optional().describe('Only this source.'),
    slotMinutes: z.coerce
      .number()
      .pipe(z.literal(slotLengths))
      .default(30)
      .meta({
        type: 'integer',
        enum: [...slotLengths],
        default: 30,
        description: 'Length of a slot, in minutes.',
      }),
  }),
  answers: {
    200: {
      says: 'The history of each source that the API key may see.',
      schema: sourceHistoriesSchema,
    },
  },
  problems: ['not_found'],
  handle: async (deps, { caller, query: { source, slotMinutes } }) => {
    const { configuration } = await deps.configuration();
    const visible = visibleSources(configuration, caller);
    if (source !== undefined && !visible.includes(source)) throw new HttpProblem('not_found');
    const wanted = source === undefined ? visible : [source];
    const { until, histories } = await readHistory(deps.db, wanted, slotMinutes);
    const sources = [...histories].map(([name, { slots, outages }]) => ({
      source: name,
      slots: [...slots],
      outages: outages.map(shownOutage),
    }));
    return { status: 200, body: { until, slotMinutes, sources } };
  },
});

const shownOutage = ({ reason, ...outage }: Outage) => {
  const code = isErrorCode(reason) ? reason : 'unknown';
  return { ...outage, reason: code, says: errors[code].says };
};

export const sourceHistoryRoutes: readonly Route[] = [history];
