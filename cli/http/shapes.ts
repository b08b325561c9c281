import type { Covered } from '../../model/captures/replica';
import type { Startpoint } from '../../model/captures/startpoint';
import type { ChangeState, Role } from '../../model/change/change';
import type { MappingState } from '../../model/change/mapping';
import type { OutcomeState, Proof } from '../../model/change/outcome';
import type { LeaveOutCode } from '../../model/change/plan';
import type { SourceState } from '../../model/change/source-circuit';
import type { Difference } from '../../model/configuration/differences';
import type { FailureMode, ProveMode } from '../../model/configuration/group';
import type { HashPath } from '../../model/configuration/hash-paths';
import type { ErrorCode } from '../../model/errors';
import type { Form } from '../../model/hashes/encoding';

/** What the api answers, as far as the commands read it. Times are ISO 8601. */

export type WaitingFor = 'worker' | 'engine' | null;

export interface Change {
  readonly id: string;
  readonly identity: string;
  readonly groups: readonly string[];
  readonly state: ChangeState;
  readonly says: string;
  readonly reason: ErrorCode | null;
  readonly reasonSays: string | null;
  readonly requestedBy: string;
  /** Other than `plaintext`: no policy has judged it. */
  readonly form: Form;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly endedAt: string | null;
  readonly waitingFor: WaitingFor;
  readonly accounts: readonly Account[];
  readonly mappings: readonly Mapping[];
  readonly links: { readonly self: string; readonly events: string; readonly temporal?: string };
}

export interface Account {
  readonly label: string;
  readonly source: string;
  readonly account: string | null;
  readonly role: Role;
  readonly outcome: OutcomeState;
  readonly says: string;
  readonly reason: ErrorCode | LeaveOutCode | null;
  readonly vendorCode: string | null;
  readonly attempts: number;
  readonly proved: boolean;
  readonly proof: Proof;
  readonly nextTryAt: string | null;
  readonly updatedAt: string;
}

export interface Mapping {
  readonly application: string;
  readonly source: string;
  readonly account: string;
  readonly state: MappingState;
  readonly reason: string | null;
}

export interface ChangePlan {
  readonly identity: string;
  readonly groups: readonly {
    readonly name: string;
    readonly policy: string;
    readonly failureMode: FailureMode;
  }[];
  readonly accounts: readonly {
    readonly label: string;
    readonly source: string;
    readonly account: string | null;
    readonly role: Role;
    /** Null: left out. */
    readonly turn: number | null;
    readonly says: string;
    readonly prove: ProveMode;
    readonly proof: 'login' | 'hash' | 'none';
    /** What its source gets. */
    readonly form: Form | null;
  }[];
  /** Null without a password. */
  readonly violations: readonly { readonly rule: string; readonly says: string }[] | null;
}

export interface ChangeSummary {
  readonly id: string;
  readonly identity: string;
  readonly groups: readonly string[];
  readonly state: ChangeState;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly accounts: number;
  readonly applied: number;
}

export interface Plan {
  readonly version: number;
  readonly differences: readonly Difference[];
  readonly deletes: readonly {
    readonly section: string;
    readonly name: string;
    readonly accounts: number;
    readonly mappings: number;
  }[];
  readonly hashPaths: readonly HashPath[];
  readonly fit: readonly GroupFit[];
}

/** Whether the policy of a group suits its sources. */
export interface GroupFit {
  readonly group: string;
  readonly policy: string;
  readonly impossible: readonly string[];
  readonly notGuaranteed: readonly string[];
  readonly warnings: readonly string[];
  readonly fits: string | null;
  readonly unread: readonly string[];
}

export interface Issue {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'wrong' | 'skipped';
  readonly says: string;
}

export interface Refresh {
  readonly preview: boolean;
  readonly read: number;
  readonly linked: number;
  readonly alreadyLinked: number;
  readonly peopleAdded: number;
  readonly unmatched: Sample;
  readonly ambiguous: Sample;
  readonly failed: ErrorCode | null;
}

export interface Sample {
  readonly count: number;
  readonly first: readonly string[];
}

export interface Look {
  readonly read: number;
  readonly told: number;
  readonly failed: ErrorCode | null;
}

export interface StaleAccount {
  readonly identity: string;
  readonly source: string;
  readonly account: string;
  readonly change: string;
  readonly code: string;
  readonly says: string;
  readonly cure: string;
  readonly reason: string | null;
  readonly since: string;
}

export interface Source {
  readonly name: string;
  readonly kind: string;
  readonly enabled: boolean;
  readonly state: SourceState['state'];
  readonly since: string | null;
  readonly reason: ErrorCode | null;
  readonly says: string;
  readonly pausedBy: string | null;
  readonly nextProbeAt: string | null;
  readonly waiting: number;
  readonly parked: number;
}

export interface Relay {
  readonly id: string;
  readonly source: string;
  readonly heardAt: string | null;
  readonly silentMs: number | null;
  readonly backlog: number;
  readonly oldestAt: string | null;
  readonly quarantined: number;
  readonly clockAheadMs: number | null;
  readonly received: number;
  readonly lost: number;
  readonly open: number;
  readonly trouble: string | null;
  readonly missed: number;
}

export interface SourceCaptures {
  readonly source: string;
  readonly stoppedAt: string | null;
  readonly stoppedBy: string | null;
  readonly startpoint: {
    readonly from: Startpoint['from'];
    readonly cursor: string | null;
    readonly notBefore: string | null;
    readonly setAt: string;
    readonly startpointApplied: boolean | null;
  } | null;
  readonly servers: readonly Covered[];
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[] | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface Identity {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly accounts: readonly {
    readonly source: string;
    readonly name: string;
    readonly primary: boolean;
    readonly linkedBy: string;
  }[];
  readonly mappings?: readonly (Mapping & { readonly enabled: boolean })[];
}
