import { parse, stringify } from 'yaml';
import { type Settings, settingsPage } from '../../console/desk/settings';
import type {
  ConfigurationPlan,
  ConfigurationVersion,
  ConfigurationVersions,
} from '../../model/api/configuration';
import type { Configuration } from '../../model/configuration/document';
import { HttpProblem } from '../http/problem';
import { changesSince } from './meanwhile';
import { type ConsolePage, type PageAnswer, redirect } from './pages';
import { signInAgain } from './sign-in-address';
import { issuesOf, type StaffVisit, staffPage } from './staff';

/** The pages of administrators: the configuration as text, with what a new text would change. */
export const settingsPages = (): readonly ConsolePage[] => [
  staffPage('get', '/console/settings', async ({ api, desk, query: { version } }) => {
    const configuration =
      version === undefined
        ? (await api.get<{ configuration: Configuration }>('/v1/configuration')).configuration
        : (
            await api.get<ConfigurationVersion>('/v1/configuration/versions/{version}', {
              params: { version },
            })
          ).configuration;
    const text = stringify(configuration);
    return { status: 200, html: settingsPage(desk, await view(api, text)) };
  }),
  staffPage('post', '/console/settings', change),
];

/**
 * Shows what the text would change, or applies it. A text that is not valid is shown again, with what is wrong; and one
 * that needs a recent sign-in, so that the text is not lost.
 */
async function change({ visit, api, isRecent, desk, field }: StaffVisit): Promise<PageAnswer> {
  const [text, version] = [field('text'), field('version')];
  const shown = async (status: number, more: Partial<Settings>): Promise<PageAnswer> => {
    const signIn = status === 403 ? signInAgain(visit) : null;
    const base = await view(api, text, more.plan ?? null);
    const opened = version === '' ? base.version : Number(version);
    const settings = { ...base, signIn, version: opened, ...more };
    return { status, html: settingsPage(desk, settings) };
  };
  try {
    const document = parsed(text);
    const { body } = await api.answer('post', '/v1/configuration/plan', { body: { document } });
    const plan = body as ConfigurationPlan;
    const meanwhile = await changesSince(api, version);
    // The user has seen what came between, and may apply the text to the version of now.
    if (meanwhile !== null) return shown(409, { plan, meanwhile, version: plan.version });
    if (field('do') !== 'apply') return shown(200, { plan, version: plan.version });
    if (!isRecent) return shown(403, { plan });
    const wanted = { document, version: Number(version) };
    await api.answer('post', '/v1/configuration/apply', { body: wanted });
    return redirect('/console/settings?done=applied');
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (error.code === 'configuration_invalid') return shown(422, { issues: issuesOf(error) });
    if (error.code !== 'configuration_changed') throw error;
    return shown(409, { meanwhile: await changesSince(api, version) });
  }
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const issues = [{ path: [], says: (error as Error).message }];
    throw new HttpProblem('configuration_invalid', { issues });
  }
}

async function view(
  api: StaffVisit['api'],
  text: string,
  plan: ConfigurationPlan | null = null,
): Promise<Settings> {
  const [{ version, configuration }, { versions }] = await Promise.all([
    api.get<{ version: number; configuration: Configuration }>('/v1/configuration'),
    api.get<ConfigurationVersions>('/v1/configuration/versions'),
  ]);
  const fit = plan?.fit ?? (await fitInForce(api, configuration));
  return { text, fit, versions, plan, issues: [], version, meanwhile: null, signIn: null };
}

/** How the groups in force suit their sources; empty while the configuration in force has become invalid. */
async function fitInForce(
  api: StaffVisit['api'],
  document: Configuration,
): Promise<Settings['fit']> {
  try {
    const { body } = await api.answer('post', '/v1/configuration/plan', { body: { document } });
    return (body as ConfigurationPlan).fit;
  } catch (error) {
    if (error instanceof HttpProblem && error.code === 'configuration_invalid') return [];
    throw error;
  }
}
