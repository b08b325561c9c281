import { messagePage } from '../../console/person/message-page';
import { personReason } from '../../console/person/reasons';
import type { Texts } from '../../console/texts/texts';
import type { ErrorCode } from '../../model/errors';
import type { HttpProblem } from '../http/problem';
import { assets } from './assets';
import { textsOf } from './languages';
import type { PageAnswer, Visit } from './pages';

/** What a person reads when a page cannot be shown, or a password is refused. */

/** The page of a problem. @param says instead of the sentence of the problem */
export function personProblem(visit: Visit, problem: HttpProblem, says?: string): PageAnswer {
  const texts = textsOf(visit);
  const title = titleOf(texts, visit.request.path);
  const isOfPassword = title === texts.change.title;
  const sentence = says ?? pageProblem(texts, problem.code, isOfPassword);
  return { status: statusOf(problem), html: messagePage(texts, assets, title, sentence) };
}

/** The title of the page that could not be shown. */
function titleOf({ applications, me, change }: Texts, path: string): string {
  if (path.startsWith('/me/applications')) return applications.title;
  return path === '/me' || path.startsWith('/me/sessions') ? me.title : change.title;
}

const statusOf = ({ code }: HttpProblem): number =>
  code === 'not_found' ? 404 : code === 'forbidden' ? 403 : code === 'request_invalid' ? 400 : 503;

const pageProblem = ({ problems }: Texts, code: ErrorCode, isOfPassword: boolean): string =>
  code === 'not_found'
    ? problems.notFound
    : code === 'forbidden'
      ? problems.otherSite
      : isOfPassword
        ? problems.notNow
        : problems.notNowHere;

export interface Refusal {
  readonly status: number;
  readonly problem: string;
  /** True if the refusal could tell a stranger about a user name or a password. */
  readonly isGuess: boolean;
}

/**
 * What the person reads. `isKnown` is true for a person who has signed in or has a link. For others, a wrong user name and a
 * wrong password have the same answer, so that the page does not show which names exist.
 */
export function refusalOf(
  { problems, reasons }: Texts,
  { code, details }: HttpProblem,
  isKnown: boolean,
): Refusal {
  const guess = { status: 422, problem: problems.wrong, isGuess: true };
  if (code === 'identity_unknown' || code === 'no_auth_account' || code === 'no_group')
    return isKnown ? { status: 422, problem: reasons.helpDesk, isGuess: false } : guess;
  if (code === 'password_against_policy')
    return { status: 422, problem: problems.rules, isGuess: false };
  if (code === 'unsupported_character')
    return { status: 422, problem: reasons.character, isGuess: false };
  if (code === 'group_needed') return { status: 422, problem: problems.group, isGuess: false };
  if (code !== 'auth_account_refused')
    return { status: 503, problem: problems.notNow, isGuess: false };
  const { reason } = details;
  if (reason === 'wrong_current_password') return guess;
  // Only a user name that exists can be blocked.
  if (reason === 'current_password_blocked')
    return isKnown ? { status: 429, problem: problems.blocked, isGuess: true } : guess;
  const why = reason === null || reason === undefined ? null : personReason(reason);
  return {
    status: 422,
    problem: why === null ? problems.refused : `${problems.refused} ${reasons[why]}`,
    isGuess: true,
  };
}
