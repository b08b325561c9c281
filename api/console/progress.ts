import { progressPage } from '../../console/person/progress-page';
import type { Change } from '../../model/api/changes';
import { streamChange } from '../changes/events';
import { whileSignedIn } from '../http/while-valid';
import { assets } from './assets';
import { textsOf } from './languages';
import type { ConsolePage, PageAnswer, Visit } from './pages';

/** A change that a browser may follow. */
export interface Followed {
  readonly id: string;
  readonly read: () => Promise<Change>;
  /** The page on which its person changes the password again. */
  readonly again: string;
  readonly isSignedIn: boolean;
  /** The session in which the user follows it; null for a browser that only started it. */
  readonly sessionId: string | null;
}

type Page = Omit<ConsolePage, 'failed'>;

/** The page of a change below an address, and the events that tell its script to load the page again. */
export function progressPages(
  base: string,
  follow: (visit: Visit) => Promise<Followed | PageAnswer>,
): readonly Page[] {
  const withChange =
    (handle: (visit: Visit, followed: Followed) => Promise<PageAnswer>) => async (visit: Visit) => {
      const followed = await follow(visit);
      return 'status' in followed ? followed : handle(visit, followed);
    };
  return [
    {
      method: 'get',
      path: `${base}/:id`,
      handle: withChange(async (visit, followed) => {
        const shown = { ...followed, address: `${base}/${followed.id}`, now: new Date() };
        const html = progressPage(textsOf(visit), assets, await followed.read(), shown);
        return { status: 200, html };
      }),
    },
    { method: 'get', path: `${base}/:id/events`, handle: withChange(events) },
  ];
}

/** Server-sent events without content of the change: the page loads itself again after each. */
async function events(visit: Visit, { id, read, sessionId }: Followed): Promise<PageAnswer> {
  const { response, deps, gone } = visit;
  deps.streams.open(`change:${id}`, gone);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  const stream = (ended: AbortSignal) =>
    streamChange(deps, id, read, ended, response, (change) => stampOf(change));
  await (sessionId === null ? stream(gone) : whileSignedIn(deps, sessionId, gone, stream));
  response.end();
  return { status: 200, streamed: true };
}

/** Differs whenever the page of a change differs. */
const stampOf = ({ state, accounts }: Change) => ({
  state,
  accounts: accounts.map(({ updatedAt, outcome }) => `${outcome} ${updatedAt.toISOString()}`),
});
