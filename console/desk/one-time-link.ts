import { callerChecks } from '../../model/people/one-time-link';
import { html } from '../html';
import { cliCommand, clock, type Desk, deskPage } from './shell';

interface WantedLink {
  readonly person: string;
  /** What was typed into the form before. */
  readonly typed: (field: string) => string;
  /** What is wrong with the form; empty if nothing. */
  readonly problem: string;
}

/** The form by which an agent makes a one-time link, after checking who is calling. */
export const oneTimeLinkForm = (desk: Desk, { person, typed, problem }: WantedLink): string =>
  deskPage(desk, {
    title: `One-time link for ${person}`,
    address: '',
    content: html`${problem !== '' && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
<p class="intro">With the link, the person sets a new password without the current one. You never learn the password. Check who is calling first.</p>
<form method="post" action="${formOf(person)}" class="columns"><div>
<p class="field"><label for="check">How have you checked the caller?</label><select id="check" name="check" required><option value="">Choose</option>${Object.entries(
      callerChecks,
    ).map(
      ([check, says]) =>
        html`<option value="${check}"${typed('check') === check && html` selected`}>${says}</option>`,
    )}</select></p>
<p class="field"><label for="reason">Reason or ticket</label><input id="reason" name="reason" required maxlength="200" autocomplete="off" aria-describedby="reason-hint" value="${typed('reason')}"><small class="hint" id="reason-hint">The audit keeps it, so never write a password there.</small></p>
<fieldset class="field options"><legend>How does the person get the link?</legend><label><input type="radio" name="deliver" value="mail"${byMail(typed) && html` checked`}> By mail to the address on file; only the person sees it</label><label><input type="radio" name="deliver" value="agent"${!byMail(typed) && html` checked`}> Show it to me once, and I pass it on</label></fieldset>
<p class="field"><label for="comment">Comment</label><input id="comment" name="comment" maxlength="500" autocomplete="off" value="${typed('comment')}"></p>
<p><button class="primary">Make the link</button></p></div></form>
<p class="hint">${cliCommand('lockstep identities one-time-link --check called-back --reason "ticket 4711"', person)}</p>
<p><a href="/console/people/${encodeURIComponent(person)}">Back to ${person}</a></p>`,
  });

const byMail = (typed: WantedLink['typed']): boolean => typed('deliver') === 'mail';

const formOf = (person: string): string =>
  `/console/people/${encodeURIComponent(person)}/one-time-link`;

/** The link is on its way by mail. */
export const mailedLinkPage = (
  desk: Desk,
  { person, sentTo, expiresAt }: { person: string; sentTo: string | null; expiresAt: Date },
): string =>
  deskPage(desk, {
    title: `One-time link for ${person}`,
    address: '',
    content: html`<p class="verdict good" role="status">A mail with the link is on its way to ${sentTo}. The link works once, until ${clock(expiresAt)}.</p>
<p class="hint">A newer link, or any change of the password, ends this one.</p>
<p><a href="/console/people/${encodeURIComponent(person)}">Back to ${person}</a></p>`,
  });

/** The link was shown before, or is not valid any more. */
export const goneLinkPage = (desk: Desk, person: string): string =>
  deskPage(desk, {
    title: `One-time link for ${person}`,
    address: '',
    content: html`<p class="verdict busy">The link was shown once, and no page shows it again. If the person does not have it, make another one, which ends the first.</p>
<p class="tools"><a class="button" href="${formOf(person)}">Make another link</a> <a href="/console/people/${encodeURIComponent(person)}">Back to ${person}</a></p>`,
  });

interface MadeLink {
  readonly person: string;
  /** The whole address, with the code. */
  readonly link: string;
  readonly page: string;
  readonly code: string;
  readonly expiresAt: Date;
}

/** The link, which is shown only once. */
export const madeLinkPage = (
  desk: Desk,
  { person, link, page, code, expiresAt }: MadeLink,
): string =>
  deskPage(desk, {
    title: `One-time link for ${person}`,
    address: '',
    content: html`<p class="verdict good" role="status">The link works once, until ${clock(expiresAt)}. This page does not show it again.</p>
<h2>Send this link to the person</h2><p>${cliCommand(link)}</p>
<h2>Or read it out</h2><p>The person opens ${cliCommand(page)} and enters the code</p><p class="code-large">${code}</p>
<p class="hint">Send it only to an address or number that was on file before the call. A newer link, or any change of the password, ends this one.</p>
<p><a href="/console/people/${encodeURIComponent(person)}">Back to ${person}</a></p>`,
  });
