import { Ber, type BerReader, BerWriter, Control, type Filter, SearchEntry } from 'ldapts';

/** Errors of the password policy control (draft-behera-ldap-password-policy-11 §6.2). */
export const policyErrors = {
  expired: 0,
  locked: 1,
  changeAfterReset: 2,
  modificationNotAllowed: 3,
  mustSupplyOld: 4,
  insufficientQuality: 5,
  tooShort: 6,
  tooYoung: 7,
  inHistory: 8,
  tooLong: 9,
} as const;

const ERROR_TAG = 0x81;
const WARNING_TAG = 0xa0;

/**
 * Asks the server for the password policy error of the request. ldapts parses the response into the same object that
 * went out with the request.
 */
export class PasswordPolicyControl extends Control {
  /** One of `policyErrors`; null if the server reported none. */
  error: number | null = null;

  constructor() {
    super('1.3.6.1.4.1.42.2.27.8.5.1');
  }

  override parseControl(reader: BerReader): void {
    if (!reader.readSequence()) return;
    if (reader.peek() === WARNING_TAG) reader.readString(WARNING_TAG, true);
    if (reader.peek() === ERROR_TAG) this.error = reader.readString(ERROR_TAG, true)?.[0] ?? null;
  }
}

const AVAILABLE_TAG = 0x80;

/**
 * Asks the server whether the account could log in now. The service account needs the right to compare userPassword.
 * ldapts parses the response into the same object that went out with the request.
 */
export class UsabilityControl extends Control {
  /** Null if the server sent no answer. */
  available: boolean | null = null;

  constructor() {
    super('1.3.6.1.4.1.42.2.27.9.5.8');
  }

  override parseControl(reader: BerReader): void {
    this.available = reader.peek() === AVAILABLE_TAG;
  }
}

export const ASSERTION = '1.3.6.1.1.12';

/** Makes the server carry out the request only if the entry matches the filter (RFC 4528). */
export class AssertionControl extends Control {
  readonly filter: Filter;

  constructor(filter: Filter) {
    super(ASSERTION, { critical: true });
    this.filter = filter;
  }

  override writeControl(writer: BerWriter): void {
    const assertion = new BerWriter();
    this.filter.write(assertion);
    writer.writeBuffer(assertion.buffer, Ber.OctetString);
  }
}

/** Asks for the values of an attribute after the change, in the reply to the change (RFC 4527). */
export class PostReadControl extends Control {
  readonly attribute: string;
  values: readonly string[] = [];

  constructor(attribute: string) {
    super('1.3.6.1.1.13.2');
    this.attribute = attribute;
  }

  override writeControl(writer: BerWriter): void {
    const wanted = new BerWriter();
    wanted.startSequence();
    wanted.writeString(this.attribute);
    wanted.endSequence();
    writer.writeBuffer(wanted.buffer, Ber.OctetString);
  }

  override parseControl(reader: BerReader): void {
    reader.readSequence();
    const entry = new SearchEntry({ messageId: 0 });
    entry.parseMessage(reader);
    this.values = entry.attributes.flatMap((attribute) => attribute.values.map(String));
  }
}

const IS_SELF_CHANGE_TAG = 0x80;
const ALLOW_PRE_ENCODED_TAG = 0x81;
const SKIP_VALIDATION_TAG = 0x82;
const IGNORE_HISTORY_TAG = 0x83;
const MUST_CHANGE_TAG = 0x86;

/**
 * Instructs PingDirectory how to treat a new password: as set by an administrator, as a hash only if `isHash`, subject to
 * every rule including the history, and with the forced change set to `mustChange`. The minimum age is left to the
 * server, which by default exempts administrators. Source: `PasswordUpdateBehaviorRequestControl` of the UnboundID SDK.
 */
export class PasswordUpdateBehaviorControl extends Control {
  readonly mustChange: boolean;
  readonly isHash: boolean;

  constructor(mustChange: boolean, isHash: boolean) {
    super('1.3.6.1.4.1.30221.2.5.51', { critical: true });
    this.mustChange = mustChange;
    this.isHash = isHash;
  }

  override writeControl(writer: BerWriter): void {
    const behavior = new BerWriter();
    behavior.startSequence();
    behavior.writeBoolean(false, IS_SELF_CHANGE_TAG);
    behavior.writeBoolean(this.isHash, ALLOW_PRE_ENCODED_TAG);
    behavior.writeBoolean(false, SKIP_VALIDATION_TAG);
    behavior.writeBoolean(false, IGNORE_HISTORY_TAG);
    behavior.writeBoolean(this.mustChange, MUST_CHANGE_TAG);
    behavior.endSequence();
    writer.writeBuffer(behavior.buffer, Ber.OctetString);
  }
}
