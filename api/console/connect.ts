import { stringify } from 'yaml';
import { connectorKinds } from '../../connectors/registry';
import { type ConnectForm, connectPage, kindsPage } from '../../console/desk/connect';
import {
  type Connected,
  connectedBy,
  inputs,
  takenNames,
} from '../../console/desk/connect-document';
import { isUsable } from '../../console/desk/connect-parts';
import { type FieldSpec, fieldsOf, inputOfSetting } from '../../console/desk/form-fields';
import type { ConfigurationPlan } from '../../model/api/configuration';
import type { Connectors } from '../../model/api/connectors';
import type { CandidateCheck } from '../../model/api/job-results';
import { type Configuration, secretReference } from '../../model/configuration/document';
import { errors, isErrorCode } from '../../model/errors';
import { HttpProblem } from '../http/problem';
import { changesSince } from './meanwhile';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';
import { signInAgain } from './sign-in-address';
import { type StaffVisit, staffPage } from './staff';

/** The pages on which an administrator connects a source. They write the same document as the text of the configuration. */
export const connectPages = (): readonly ConsolePage[] => [
  staffPage('get', '/console/connect', async ({ api, desk }) => {
    const { kinds } = await api.get<Connectors>('/v1/connectors');
    return { status: 200, html: kindsPage(desk, kinds) };
  }),
  staffPage('get', '/console/connect/:kind', async (staff) => {
    const form = await emptyForm({ ...staff, field: () => '' });
    return { status: 200, html: connectPage(staff.desk, form) };
  }),
  staffPage('post', '/console/connect/:kind', submit, { mayHold: isNoSecret }),
];

/** The texts that a browser may hold while its user signs in: all but a secret that is no reference. */
function isNoSecret(name: string, text: string, { request }: Visit): boolean {
  const kind = connectorKinds.get(String(request.params.kind));
  const secrets = kind?.secretSettings.map((setting) => inputOfSetting(setting)) ?? [];
  return !secrets.includes(name) || secretReference.test(text.trim());
}

async function emptyForm({ api, param, field }: StaffVisit): Promise<ConnectForm> {
  const [{ kinds, secretPlaces }, { configuration }] = await Promise.all([
    api.get<Connectors>('/v1/connectors'),
    api.get<{ configuration: Configuration }>('/v1/configuration'),
  ]);
  const kind = kinds.find((one) => one.kind === param('kind'));
  if (kind === undefined) throw new HttpProblem('not_found');
  return {
    ...{
      kind,
      configuration,
      secretPlaces,
      typed: field,
      problems: {},
      problem: '',
      meanwhile: null,
    },
    fields: fieldsOf(kind.settings, kind.secretSettings),
    ...{ signIn: null, check: null, isTested: false, tested: field('tested'), plan: null },
    yaml: { added: '', whole: '' },
    attributes: field('attributes')
      .split(' ')
      .filter((name) => name !== ''),
  };
}

/** A worker answers a check within this time, or the page says so. */
const CHECK_WAITS = 'wait=30';

async function submit(staff: StaffVisit): Promise<PageAnswer> {
  const empty = withoutSecrets(await emptyForm(staff));
  const connected = connectedBy(empty.configuration, empty.kind.kind, empty.fields, empty.typed);
  const settings = JSON.stringify(connected.source.settings);
  const form = { ...empty, isTested: settings === empty.tested };
  const shown = (status: number, more: Partial<ConnectForm>): PageAnswer => ({
    status,
    html: connectPage(staff.desk, { ...form, ...more }),
  });
  if (Object.keys(form.problems).length > 0) return shown(422, {});
  try {
    return await carryOut(staff, form, connected, shown);
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (error.code === 'sign_in_again') return shown(403, { signIn: signInAgain(staff.visit) });
    if (error.code === 'configuration_changed')
      return shown(409, { meanwhile: await changesSince(staff.api, staff.field('version')) });
    if (error.code !== 'configuration_invalid') throw error;
    return shown(422, problemsOf(error, form.fields, connected.name));
  }
}

async function carryOut(
  staff: StaffVisit,
  form: ConnectForm,
  connected: Connected,
  shown: (status: number, more: Partial<ConnectForm>) => PageAnswer,
): Promise<PageAnswer> {
  const { api, field } = staff;
  const wanted = field('do');
  if (wanted === 'test') return tested(staff, form, connected, shown);
  const { document, added, name } = connected;
  const taken = takenNames(form.configuration, form.typed);
  if (Object.keys(taken).length > 0) return shown(422, { problems: taken });
  const { body } = await api.answer('post', '/v1/configuration/plan', { body: { document } });
  const planned = {
    plan: body as ConfigurationPlan,
    yaml: { added: stringify(added), whole: stringify(document) },
  };
  if (wanted !== 'apply') return shown(200, planned);
  const meanwhile = await changesSince(api, field('version'));
  if (meanwhile !== null) return shown(409, { ...planned, meanwhile });
  if (!staff.isRecent) return shown(403, { ...planned, signIn: signInAgain(staff.visit) });
  const version = Number(field('version'));
  await api.answer('post', '/v1/configuration/apply', { body: { document, version } });
  // Its first check stores its password rules, for the fit of its group.
  if (api.may('operate'))
    await api.answer('post', '/v1/sources/{name}/check', { params: { name } });
  return redirect(`/console/sources/${encodeURIComponent(name)}?done=connected`);
}

/** Has a worker check the settings. The worker sends the secret to this address, so that needs a recent sign-in. */
async function tested(
  { api }: StaffVisit,
  { kind, attributes }: ConnectForm,
  { source }: Connected,
  shown: (status: number, more: Partial<ConnectForm>) => PageAnswer,
): Promise<PageAnswer> {
  const answer = await api.answer('post', '/v1/sources/check', {
    headers: { prefer: CHECK_WAITS },
    body: { kind: kind.kind, settings: source.settings },
  });
  const { result } = answer.body as {
    readonly result?: CandidateCheck | { readonly code: string };
  };
  if (result === undefined) return shown(503, { problem: NO_WORKER });
  if ('code' in result) return shown(503, { problem: saysOf(result.code) });
  const names = result.accounts.flatMap((account) => Object.keys(account.attributes));
  const isTested = isUsable(result);
  return shown(200, {
    check: result,
    isTested,
    tested: isTested ? JSON.stringify(source.settings) : '',
    attributes: names.length > 0 ? [...new Set(names)] : attributes,
  });
}

const NO_WORKER =
  'No worker has finished the test in time. Start a worker, or wait until it has less to do, and test again.';

const saysOf = (code: string): string => (isErrorCode(code) ? errors[code].says : NO_WORKER);

/** A value that is no reference may be a secret, so the page does not show it again, and nothing gets it. */
function withoutSecrets(form: ConnectForm): ConnectForm {
  const bare = form.fields.filter(
    ({ secret, input }) =>
      secret && form.typed(input).trim() !== '' && !secretReference.test(form.typed(input).trim()),
  );
  const hidden = bare.map(({ input }) => input);
  return {
    ...form,
    typed: (input) => (hidden.includes(input) ? '' : form.typed(input)),
    problems: Object.fromEntries(
      bare.map(({ input, label }) => [
        input,
        `${label} is not a reference. Put the secret into a file on the machine of the worker, and write its reference, such as \${file:crm}. What you typed was discarded.`,
      ]),
    ),
  };
}

/** Each issue at its input, as far as it has one. */
function problemsOf(
  { details }: HttpProblem,
  fields: readonly FieldSpec[],
  name: string,
): Pick<ConnectForm, 'problem' | 'problems'> {
  const problems: Record<string, string> = {};
  const others: string[] = [];
  for (const { path, says } of details.issues ?? []) {
    const input = inputOf(path.map(String), fields, name);
    if (input === null) others.push(`${path.join('.')} ${says}`);
    else problems[input.id] ??= `${input.label}: ${says}.`;
  }
  return { problems, problem: others.join('. ') };
}

/** The input that an issue is about; null if it is about another part of the document. */
function inputOf(path: readonly string[], fields: readonly FieldSpec[], name: string) {
  const isOfSource = path[0] === 'sources' && path[1] === name;
  const [first, second = '', third] = isOfSource ? path.slice(2) : path;
  const setting = fields.find((field) => first === 'settings' && field.setting === second);
  if (setting !== undefined) return { id: setting.input, label: setting.label };
  const input = (id: string, label: string) => ({ id, label });
  if (isOfSource && first === undefined) return input(inputs.name, 'Name of the source');
  if (isOfSource && (first === 'title' || first === 'hint'))
    return input(`${first}-${second === 'de' ? 'de' : 'en'}`, first === 'title' ? 'Title' : 'Hint');
  if (isOfSource && first === 'correlate')
    return input(second === '1' ? 'match2-account' : 'match-account', 'Attributes');
  if (isOfSource && first === 'createIdentities') return input(inputs.createBy, 'Attribute');
  if (isOfSource && first === 'policy') return input(inputs.policy, 'Policy');
  if (first === 'groups') return input(groupInputs[third ?? ''] ?? inputs.newGroup, 'Group');
  return null;
}

/** The inputs of the fields of a group. An issue of its sources is one of the name of the source. */
const groupInputs: Readonly<Record<string, string>> = {
  policy: inputs.policy,
  sources: inputs.name,
  authSource: inputs.other,
};
