import type { Meanwhile } from '../../console/desk/plan';
import type {
  ConfigurationDifferences,
  ConfigurationVersions,
} from '../../model/api/configuration';
import type { PageApi } from './call';

/** What others have applied since the version that a form was opened with; null if nothing, or if the form names none. */
export async function changesSince(api: PageApi, version: string): Promise<Meanwhile | null> {
  if (!/^\d{1,9}$/.test(version)) return null;
  const { versions } = await api.get<ConfigurationVersions>('/v1/configuration/versions');
  const newer = versions.filter((one) => one.version > Number(version));
  const [newest] = newer;
  if (newest === undefined) return null;
  const { differences } = await api.get<ConfigurationDifferences>(
    '/v1/configuration/versions/{version}/differences',
    { params: { version: String(newest.version) }, query: { from: version } },
  );
  return { versions: newer, differences };
}
