import { heldFormPage } from '../../console/desk/held-form';
import type { Desk } from '../../console/desk/shell';
import { signInAgainPage } from '../../console/desk/sign-in';
import { assets } from './assets';
import type { Form } from './form';
import { handTo } from './handed';
import { type PageAnswer, redirect, type Visit } from './pages';
import { ownPage } from './sign-in/attempt';
import { pageOf, signInAgain, signInFor } from './sign-in-address';

/** What is kept of a form that came without a valid sign-in (decision 0056). */
export interface KeptFields {
  /** The fields of a form that are kept for its page during a sign-in, instead of all. None may hold a secret. */
  readonly keeps?: readonly string[];
  /** Whether the browser may hold the text of a field during a sign-in: false for what may be a secret. */
  readonly mayHold?: (name: string, text: string, visit: Visit) => boolean;
}

/** Keeps a short form for its page, to which the sign-in leads; another one is held by a page of its own. */
export function keptOrHeld(
  visit: Visit,
  form: Form | null,
  options: KeptFields,
  why: 'ended' | 'tooOld',
): PageAnswer {
  const kept = keptFor(visit, form, options.keeps ?? []);
  if (Object.keys(kept).length === 0) return held(visit, form, options, why);
  if (why === 'ended') return redirect(signInFor(visit), kept);
  const html = signInAgainPage(noDesk(), signInAgain(visit));
  return { status: 403, html, headers: kept };
}

/** The form again, which the user sends once more after the sign-in. */
function held(
  visit: Visit,
  form: Form | null,
  { mayHold = () => true }: KeptFields,
  why: 'ended' | 'tooOld',
): PageAnswer {
  const texts = Object.entries(form?.texts ?? {});
  const fields = texts.filter(([name, text]) => mayHold(name, text, visit));
  const html = heldFormPage(assets, {
    action: ownPage(visit.request.originalUrl),
    fields: Object.fromEntries(fields),
    isComplete: fields.length === texts.length,
    signIn: why === 'ended' ? signInFor(visit) : signInAgain(visit),
    why,
  });
  return { status: why === 'ended' ? 401 : 403, html };
}

/** The frame of a page that shows only a sentence. */
export const noDesk = (): Desk => ({ assets, name: '', links: [], now: new Date(), done: '' });

/** Keeps what was typed for the page of the form, to which the sign-in leads. */
function keptFor(
  visit: Visit,
  form: Form | null,
  keeps: readonly string[],
): Record<string, string> {
  if (form === null || keeps.length === 0) return {};
  const fields = Object.fromEntries(keeps.map((name) => [name, form.text(name)]));
  return handTo(visit, pageOf(visit), { ...fields, kept: '1' });
}
