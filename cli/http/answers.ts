import type * as accountActions from '../../model/api/account-actions';
import type * as audit from '../../model/api/audit';
import type * as captures from '../../model/api/captures';
import type * as changePlan from '../../model/api/change-plan';
import type * as changes from '../../model/api/changes';
import type * as configuration from '../../model/api/configuration';
import type * as connectors from '../../model/api/connectors';
import type * as groupPolicy from '../../model/api/group-policy';
import type * as identities from '../../model/api/identities';
import type * as jobs from '../../model/api/jobs';
import type { Json } from '../../model/api/json';
import type * as keys from '../../model/api/keys';
import type * as mappingImport from '../../model/api/mapping-import';
import type * as notices from '../../model/api/notices';
import type * as oneTimeLinks from '../../model/api/one-time-links';
import type * as overview from '../../model/api/overview';
import type * as presence from '../../model/api/presence';
import type * as problems from '../../model/api/problems';
import type * as relays from '../../model/api/relays';
import type * as setCredentials from '../../model/api/set-credentials';
import type * as sourceHistory from '../../model/api/source-history';
import type * as sources from '../../model/api/sources';
import type * as stale from '../../model/api/stale';

/**
 * The answers of the API as the command line receives them in JSON, inferred from the schemas that the API validates with.
 * Only types are imported, so that the command line starts without loading zod.
 */

export type Change = Json<changes.Change>;
export type Account = Json<changes.ChangeAccount>;
export type Mapping = Json<changes.ChangeMapping>;
export type ChangeSummary = Json<changes.ChangeSummary>;
export type ChangesPage = Json<changes.ChangesPage>;
export type ChangePlan = Json<changePlan.ChangePlan>;
export type Problem = Json<problems.Problem>;
export type Issue = Json<problems.Issue>;
export type Presence = Json<presence.Presence>;
export type StalePage = Json<stale.StalePage>;
export type StaleAccount = Json<stale.StaleAccount>;

export type AuditRecord = Json<audit.AuditRecordAnswer>;
export type AuditPage = Json<audit.AuditPage>;

export type Plan = Json<configuration.ConfigurationPlan>;
export type ConfigurationVersions = Json<configuration.ConfigurationVersions>;
export type ConfigurationVersion = Json<configuration.ConfigurationVersion>;
export type ConfigurationDifferences = Json<configuration.ConfigurationDifferences>;
export type ConfigurationApplied = Json<configuration.ConfigurationApplied>;

export type Connectors = Json<connectors.Connectors>;
export type GroupPolicy = Json<groupPolicy.GroupPolicy>;
export type FilteredSamples = Json<groupPolicy.FilteredSamples>;

export type Source = Json<sources.Source>;
export type Waiting = Json<sources.Waiting>;
export type Sources = Json<sources.Sources>;
export type SourceHistory = Json<sourceHistory.SourceHistory>;
export type SourceHistories = Json<sourceHistory.SourceHistories>;
export type SourceCommandAccepted = Json<sources.SourceCommandAccepted>;
export type Job = Json<jobs.Job>;
export type JobAccepted = Json<jobs.JobAccepted>;
export type JobProgress = Json<jobs.JobProgress>;

export type Relay = Json<relays.Relay>;
export type Relays = Json<relays.Relays>;
export type SourceCaptures = Json<captures.SourceCaptures>;
export type Captures = Json<captures.Captures>;

export type AccountActionAnswer = Json<accountActions.AccountActionAnswer>;
export type OneTimeLink = Json<oneTimeLinks.OneTimeLink>;
export type Notice = Json<notices.Notice>;
export type NoticeChannels = Json<notices.NoticeChannels>;
export type NoticeTested = Json<notices.NoticeTested>;

export type Identity = Json<identities.Identity>;
export type ImportedPerson = Json<identities.ImportedPerson>;
export type ImportedPeople = Json<identities.ImportedPeople>;
export type IdentityWithMappings = Json<identities.IdentityWithMappings>;
export type ListedMapping = Json<identities.ListedMapping>;
export type CredentialSet = Json<setCredentials.CredentialSet>;
export type MappingRow = Json<mappingImport.MappingRow>;
export type MappingPlan = Json<mappingImport.MappingPlan>;
export type GeneratedMappings = Json<mappingImport.GeneratedMappings>;
export type MappingsPage = Json<identities.MappingsPage>;
export type Overview = Json<overview.Overview>;
export type ApiKeys = Json<keys.ApiKeys>;
export type ApiKey = Json<keys.ApiKey>;
export type ApiKeyCreated = Json<keys.ApiKeyCreated>;
export type ApiKeyRotated = Json<keys.ApiKeyRotated>;
