import { signInPage } from '../../../console/desk/sign-in';
import { errors } from '../../../model/errors';
import { callerOf } from '../../../store/api-keys';
import { detailOf } from '../../http/problem';
import { assets } from '../assets';
import { countAttempts } from '../attempts';
import { queryOf } from '../call';
import { readForm } from '../form';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from '../pages';
import { sessionOf, signInAs, signOutOf } from '../session';
import { ownPage } from './attempt';

export const SIGN_IN = '/console/sign-in';

/** The sign-in of staff, at the identity provider or with an API key, and the sign-out. */
export function staffSignInPages(): readonly ConsolePage[] {
  const attempts = countAttempts();
  const shown = ({ deps, request }: Visit, problem: string, wanted?: string) => {
    const { to = '', again, ended } = queryOf(request);
    const title = deps.settings.provider?.settings.title ?? null;
    const why = { isAgain: again === '1', hasEnded: ended === '1' };
    return signInPage(assets, { title, to: ownPage(wanted ?? to), ...why }, problem);
  };
  const failed: ConsolePage['failed'] = (visit, problem) => ({
    status: errors[problem.code].status,
    html: shown(visit, detailOf(problem)),
  });
  const signIn = async (visit: Visit): Promise<PageAnswer> => {
    const address = visit.request.socket.remoteAddress ?? '';
    const form = await readForm(visit.request, []);
    const to = ownPage(form.text('to'));
    const refused = (status: number, says: string) => ({ status, html: shown(visit, says, to) });
    if (attempts.isBlocked(address))
      return refused(429, 'There were too many attempts from this address. Wait ten minutes.');
    const caller = await callerOf(visit.deps.db, form.text('key').trim());
    if (caller === null) {
      attempts.failed(address);
      return refused(401, 'This API key is not valid. "lockstep keys list" shows which keys are.');
    }
    const cookie = await signInAs(visit, 'session', caller, { authenticated: 'now' });
    return redirect(to, { 'set-cookie': cookie });
  };
  const signOut = async (visit: Visit): Promise<PageAnswer> => {
    const session = await sessionOf(visit, 'session');
    const cookie = await signOutOf(visit, 'session');
    const next = session?.isFromProvider === true ? '/signed-out' : SIGN_IN;
    return redirect(next, { 'set-cookie': cookie });
  };
  return [
    {
      method: 'get',
      path: SIGN_IN,
      handle: async (visit) => ({ status: 200, html: shown(visit, '') }),
      failed,
    },
    { method: 'post', path: SIGN_IN, handle: signIn, failed },
    { method: 'post', path: '/console/sign-out', handle: signOut, failed },
  ];
}
