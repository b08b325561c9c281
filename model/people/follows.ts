import { isWritten } from '../change/adapter-rules';
import {
  applicationNamed,
  type Configuration,
  groupsFrom,
  sourceNamed,
  sourcesOf,
} from '../configuration/document';

/**
 * Whether the stored credential of an enabled mapping takes each new password of the person: changes are written to the
 * source of the application, or the credential follows the directory directly.
 */
export function followsChanges(configuration: Configuration, application: string): boolean {
  const configured = applicationNamed(configuration, application);
  if (configured?.enabled !== true) return false;
  if (configured.directFrom !== undefined) return true;
  const { source: name } = configured;
  if (sourceNamed(configuration, name)?.enabled !== true) return false;
  if (groupsFrom(configuration, name).length === 0) return false;
  const adapter = sourcesOf(configuration).find((source) => source.name === name)?.adapter;
  if (adapter === undefined) return true;
  return isWritten(adapter) && adapter.applications.some((served) => served.name === application);
}
