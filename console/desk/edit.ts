import type { ConfigurationPlan } from '../../model/api/configuration';
import { type Html, html } from '../html';
import { issueBox, type Meanwhile, meanwhileBox, planOf, signInBox } from './plan';
import { cliCommand, commandButton, type Desk, deskPage, withCommand } from './shell';

/** Where the forms that edit the configuration are sent. They show first what would change. */
export const EDIT = '/console/edit';

/** A CLI command, and the names that follow it. */
export type Command = readonly [string, ...string[]];

/** One edit of the configuration, before it is applied. */
export interface EditView {
  /** What the edit does, as the title of its page. */
  readonly title: string;
  /** The CLI commands that do the same; none for an edit that changes nothing. */
  readonly commands: readonly Command[];
  /** The fields of the form, which are sent again to apply the edit. */
  readonly fields: Readonly<Record<string, string>>;
  /** The page that the edit comes from. */
  readonly back: string;
  /** Null for an edit that makes the configuration invalid. */
  readonly plan: ConfigurationPlan | null;
  readonly issues: readonly string[];
  /** What others have applied since the edit was planned; null if nothing. */
  readonly meanwhile: Meanwhile | null;
  /** The sign-in that the user has to repeat before the edit can be applied; null if none. */
  readonly signIn: string | null;
}

/** Shows what an edit would change, before it is applied. */
export const editPage = (
  desk: Desk,
  { title, commands, fields, back, plan, issues, meanwhile, signIn }: EditView,
): string =>
  deskPage(desk, {
    title,
    address: '',
    content: html`${issueBox(issues, 'This is not possible')}${meanwhileBox(meanwhile, plan === null ? 'Go back, and order it again.' : 'What it would change now is below; check it, then choose Apply.')}${signInBox(signIn)}
${plan !== null && planOf(plan)}
<form method="post" action="${EDIT}" class="tools">${hidden(fields)}<input type="hidden" name="version" value="${plan?.version ?? ''}">
${plan !== null && plan.differences.length > 0 && html`<button name="do" value="apply" class="primary">Apply</button>`}<a class="button" href="${back}">Back</a></form>
${commands.map(([command, ...names]) => html`<p>${cliCommand(command, ...names)}</p>`)}`,
  });

/** Fields that a form sends without showing them. */
export const hidden = (fields: Readonly<Record<string, string>>): readonly Html[] =>
  Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );

/** A button for an edit that needs no further field, with the CLI command that does the same. */
export const editButton = (
  edit: string,
  title: string,
  fields: Readonly<Record<string, string>>,
  [command, ...names]: Command,
): Html => withCommand(commandButton(EDIT, title, { edit, ...fields }), command, ...names);
