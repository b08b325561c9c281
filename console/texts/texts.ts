import type { ChangeState } from '../../model/change/change';
import type { CredentialOrigin } from '../../model/change/credential-origin';
import type { HeldNow } from '../../model/change/held-now';
import type { Holds } from '../../model/change/holds';
import type { Language } from '../../model/notices/languages';
import type {
  ApplicationDone,
  ApplicationProblem,
  ApplicationReason,
  ApplicationRow,
} from '../person/application-words';
import type { PersonNotice } from '../person/own-notices';
import type { PersonReason } from '../person/reasons';
import type { Counted, RuleName } from '../person/rule-rows';

/** Every text that a person reads, in one language. */
export interface Texts {
  readonly lang: Language;
  readonly otherLanguage: { readonly lang: string; readonly name: string };
  readonly change: {
    readonly title: string;
    readonly intro: string;
    readonly which: string;
    readonly userName: string;
    readonly current: string;
    readonly currentHint: string;
    readonly next: string;
    readonly show: string;
    readonly hide: string;
    readonly shown: string;
    readonly hidden: string;
    readonly suggest: string;
    readonly suggested: string;
    readonly submit: string;
    readonly rulesTitle: string;
    readonly met: string;
    readonly unmet: string;
    readonly later: string;
    readonly allMet: string;
    /** With `{n}` for the number of rules that are not met. */
    readonly someUnmet: string;
    readonly coversTitle: string;
    readonly covers: string;
    readonly first: string;
    readonly closed: string;
    readonly forgottenTitle: string;
    /** For a person who can sign in without the password; the link follows. */
    readonly forgottenSignIn: string;
    readonly forgottenSignInLink: string;
    readonly forgottenHelpDesk: string;
    readonly forgottenCode: string;
    /** Why the form asks for no current password. */
    readonly withoutCurrent: Readonly<Record<'signedIn' | 'link', string>>;
  };
  readonly rules: Readonly<Record<RuleName, (value: Counted) => string>>;
  /** The text of a rule that only a source has. */
  readonly onlyIn: (source: string, rule: string) => string;
  readonly problems: {
    readonly title: string;
    readonly wrong: string;
    readonly blocked: string;
    readonly rules: string;
    readonly group: string;
    readonly notNow: string;
    /** The same on a page that is about something else than a new password. */
    readonly notNowHere: string;
    readonly missing: string;
    readonly tooMany: string;
    readonly refused: string;
    readonly otherSite: string;
    readonly notFound: string;
  };
  readonly progress: {
    readonly title: string;
    readonly checking: string;
    readonly done: string;
    readonly working: string;
    readonly waiting: string;
    /** Like `waiting`, when an operator or the help desk has to act first. */
    readonly waitingParked: string;
    /** The auth account waits; why follows. */
    readonly notYet: string;
    readonly partial: string;
    /** Not everywhere, or not verified: the list of the accounts shows it. */
    readonly doneHere: string;
    readonly storedOnly: string;
    readonly changedThereOnly: string;
    readonly refused: string;
    /** The account in which the person changed the password holds it all the same. */
    readonly refusedHere: string;
    readonly refusedUnsure: string;
    readonly expired: string;
    readonly cancelled: string;
    readonly superseded: string;
    readonly accounts: string;
    readonly nextTry: (time: string) => string;
    readonly until: (time: string) => string;
    /** What an account holds that did not take the password. */
    readonly holds: Readonly<Record<Holds, string>>;
    readonly notVerified: string;
    readonly mayClose: string;
    readonly ended: string;
    readonly lost: string;
    readonly again: string;
    readonly proved: (time: string) => string;
    readonly states: Readonly<
      Record<'has' | 'writing' | 'waits' | 'parked' | 'refused' | 'leftOut' | 'notTried', string>
    >;
    readonly afterTitle: string;
    readonly after: readonly string[];
    readonly asOf: (time: string) => string;
  };
  readonly reasons: Readonly<Record<PersonReason, string>>;
  readonly me: {
    readonly title: string;
    readonly hello: (name: string) => string;
    readonly change: string;
    readonly changeHint: string;
    readonly signOut: string;
    readonly holds: Readonly<Record<HeldNow, string>>;
    readonly since: (time: string) => string;
    readonly verified: string;
    readonly behind: string;
    readonly noAccounts: string;
    readonly changes: string;
    readonly noChanges: string;
    readonly changeStates: Readonly<Record<ChangeState, string>>;
    readonly notices: string;
    readonly noNotices: string;
    readonly noticeKinds: Readonly<Record<PersonNotice, string>>;
    readonly notDelivered: string;
    readonly notMe: string;
    readonly sessions: string;
    readonly noSessions: string;
    /** A session in another browser: when it began, and when it was last used. */
    readonly session: (since: string, seen: string) => string;
    readonly endSession: string;
    readonly sessionHint: string;
  };
  readonly applications: {
    readonly title: string;
    readonly intro: string;
    readonly none: string;
    readonly states: Readonly<Record<ApplicationRow, string>>;
    /** How the stored password came. */
    readonly storedFrom: Readonly<Record<CredentialOrigin, string>>;
    /** Continues the state: since when it is so. */
    readonly since: (time: string) => string;
    readonly follows: string;
    readonly doesNotFollow: string;
    readonly stored: string;
    readonly nextChange: string;
    readonly onlyNextChange: string;
    readonly storeIt: string;
    readonly keptWhileOff: string;
    readonly shared: string;
    readonly unverifiable: string;
    readonly reasons: Readonly<Record<ApplicationReason, string>>;
    readonly set: string;
    readonly switchOn: string;
    readonly switchOff: string;
    readonly done: Readonly<Record<ApplicationDone, string>>;
    readonly setTitle: (application: string) => string;
    readonly setIntro: string;
    readonly account: string;
    readonly password: string;
    readonly passwordHint: string;
    readonly submit: string;
    readonly back: string;
    readonly notStored: string;
    readonly problems: Readonly<Record<ApplicationProblem, string>>;
  };
  readonly link: {
    readonly title: string;
    readonly intro: string;
    readonly code: string;
    readonly codeHint: string;
    readonly submit: string;
    readonly invalid: string;
  };
  readonly signIn: {
    readonly title: string;
    readonly again: string;
    readonly failed: string;
    readonly notStarted: string;
    readonly tooOld: string;
    readonly noRole: string;
    readonly noPerson: string;
    readonly signedOut: string;
    readonly signedOutSays: (provider: string) => string;
    readonly endThere: (provider: string) => string;
  };
}
