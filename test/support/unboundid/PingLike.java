import com.unboundid.asn1.ASN1OctetString;
import com.unboundid.ldap.listener.Base64PasswordEncoderOutputFormatter;
import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryExtendedOperationHandler;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.listener.InMemoryRequestHandler;
import com.unboundid.ldap.listener.SaltedMessageDigestInMemoryPasswordEncoder;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedModifyRequest;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSearchEntry;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSearchRequest;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSimpleBindRequest;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSimpleBindResult;
import com.unboundid.ldap.listener.interceptor.InMemoryOperationInterceptor;
import com.unboundid.ldap.sdk.Attribute;
import com.unboundid.ldap.sdk.Control;
import com.unboundid.ldap.sdk.DN;
import com.unboundid.ldap.sdk.Entry;
import com.unboundid.ldap.sdk.ExtendedRequest;
import com.unboundid.ldap.sdk.ExtendedResult;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.Modification;
import com.unboundid.ldap.sdk.ModificationType;
import com.unboundid.ldap.sdk.ModifyRequest;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.controls.SimplePagedResultsControl;
import com.unboundid.ldap.sdk.unboundidds.controls.PasswordUpdateBehaviorRequestControl;
import com.unboundid.ldap.sdk.unboundidds.controls.PasswordUpdateBehaviorRequestControlProperties;
import com.unboundid.ldap.sdk.unboundidds.extensions.VerifyPasswordExtendedRequest;
import com.unboundid.util.StaticUtils;
import com.unboundid.util.json.JSONField;
import com.unboundid.util.json.JSONObject;
import com.unboundid.util.ssl.PEMFileKeyManager;
import com.unboundid.util.ssl.SSLUtil;
import java.io.File;
import java.net.InetAddress;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;

/**
 * The in-memory directory server of the UnboundID LDAP SDK with the features of PingDirectory that Lockstep uses: the verify
 * password request, the password update behavior control, the state of an account, and two privileges. They behave as the SDK
 * documents. Refusals have no text, because their texts are not documented.
 */
public final class PingLike {
  private static final String ADMINISTRATOR = "cn=Directory Manager";
  private static final int MIN_LENGTH = 8;
  private static final int MAX_FAILURES = 5;

  private static final String RESET = "pwdReset";
  private static final String LOCKED = "pwdAccountLockedTime";
  private static final String FAILURES = "pwdFailureTime";
  private static final String CHANGED = "pwdChangedTime";
  private static final String DISABLED = "ds-pwp-account-disabled";
  private static final String STATE = "ds-pwp-state-json";

  private static InMemoryDirectoryServer server;
  /** DN that has logged in, by connection. */
  private static final Map<Long, DN> requesters = new ConcurrentHashMap<>();
  /** Digests of the earlier passwords of an account, by its entryUUID. */
  private static final Map<String, List<String>> histories = new ConcurrentHashMap<>();

  /** The entryUUID of the account of each changelog entry. */
  private static final Map<String, String> uniqueIds = new ConcurrentHashMap<>();

  /**
   * @param arguments path of a JSON file with port, certFile, keyFile, suffix and adminPassword; with definition and passphrase
   *     to store passwords in {AES256}; with changelogEntries to have a changelog
   */
  public static void main(final String... arguments) throws Exception {
    final JSONObject settings = new JSONObject(Files.readString(new File(arguments[0]).toPath()));
    final var config = new InMemoryDirectoryServerConfig(settings.getFieldAsString("suffix"));
    final var keys =
        new PEMFileKeyManager(
            new File(settings.getFieldAsString("certFile")),
            new File(settings.getFieldAsString("keyFile")));
    config.setListenerConfigs(
        InMemoryListenerConfig.createLDAPSConfig(
            "LDAPS",
            InetAddress.getLoopbackAddress(),
            settings.getFieldAsInteger("port"),
            new SSLUtil(keys, null).createSSLServerSocketFactory(),
            null));
    config.setSchema(null);
    config.addAdditionalBindCredentials(ADMINISTRATOR, settings.getFieldAsString("adminPassword"));
    final var salted =
        new SaltedMessageDigestInMemoryPasswordEncoder(
            "{SSHA256}",
            Base64PasswordEncoderOutputFormatter.getInstance(),
            MessageDigest.getInstance("SHA-256"),
            8,
            true,
            true);
    final String definition = settings.getFieldAsString("definition");
    if (definition == null) config.setPasswordEncoders(salted);
    else
      config.setPasswordEncoders(
          new Aes256Encoder(definition, settings.getFieldAsString("passphrase")), salted);
    final Integer changes = settings.getFieldAsInteger("changelogEntries");
    if (changes != null) config.setMaxChangeLogEntries(changes);
    config.setVendorName("Ping Identity Corporation");
    config.setVendorVersion("in memory");
    config.setCustomRootDSEAttributes(
        List.of(
            new Attribute(
                "supportedControl",
                SimplePagedResultsControl.PAGED_RESULTS_OID,
                PasswordUpdateBehaviorRequestControl.PASSWORD_UPDATE_BEHAVIOR_REQUEST_OID)));
    config.addExtendedOperationHandler(new VerifyPassword());
    config.addInMemoryOperationInterceptor(new Policy());
    server = new InMemoryDirectoryServer(config);
    server.startListening();
  }

  /** Performs "no other password policy processing": it neither checks nor changes the state or the failures of the account. */
  private static final class VerifyPassword extends InMemoryExtendedOperationHandler {
    @Override
    public String getExtendedOperationHandlerName() {
      return "Verify Password";
    }

    @Override
    public List<String> getSupportedExtendedRequestOIDs() {
      return List.of(VerifyPasswordExtendedRequest.VERIFY_PASSWORD_REQUEST_OID);
    }

    @Override
    public ExtendedResult processExtendedOperation(
        final InMemoryRequestHandler handler, final int id, final ExtendedRequest request) {
      try {
        final var verify = new VerifyPasswordExtendedRequest(request);
        demand(handler.getAuthenticatedDN(), "permit-verify-password-request");
        final Entry entry = handler.getEntry(verify.getDN());
        if (entry == null) return result(id, ResultCode.NO_SUCH_OBJECT);
        final var password = new ASN1OctetString(verify.getPassword());
        final boolean holds = !handler.getPasswordsInEntry(entry, password).isEmpty();
        return result(id, holds ? ResultCode.COMPARE_TRUE : ResultCode.COMPARE_FALSE);
      } catch (final LDAPException refusal) {
        return result(id, refusal.getResultCode());
      }
    }

    private static ExtendedResult result(final int id, final ResultCode code) {
      return new ExtendedResult(id, code, null, null, null, null, null, null);
    }
  }

  private static void demand(final DN requester, final String privilege) throws LDAPException {
    if (requester.equals(new DN(ADMINISTRATOR))) return;
    final Entry entry = server.getEntry(requester.toString());
    if (entry == null || !entry.hasAttributeValue("ds-privilege-name", privilege))
      throw new LDAPException(ResultCode.INSUFFICIENT_ACCESS_RIGHTS);
  }

  private static final class Policy extends InMemoryOperationInterceptor {
    @Override
    public void processSimpleBindRequest(final InMemoryInterceptedSimpleBindRequest login)
        throws LDAPException {
      requesters.remove(login.getConnectionID());
      final Entry entry = server.getEntry(login.getRequest().getBindDN());
      if (entry != null && (entry.hasAttribute(LOCKED) || entry.hasAttribute(DISABLED)))
        throw new LDAPException(ResultCode.INVALID_CREDENTIALS);
    }

    @Override
    public void processSimpleBindResult(final InMemoryInterceptedSimpleBindResult login) {
      try {
        final DN dn = new DN(login.getRequest().getBindDN());
        final Entry entry = server.getEntry(dn.toString());
        final boolean succeeded = login.getResult().getResultCode() == ResultCode.SUCCESS;
        if (succeeded) requesters.put(login.getConnectionID(), dn);
        if (entry == null) return;
        if (succeeded && entry.hasAttribute(FAILURES))
          server.modify(dn.toString(), replace(FAILURES));
        if (!succeeded) server.modify(dn.toString(), failed(entry));
      } catch (final LDAPException problem) {
        throw new IllegalStateException(problem);
      }
    }

    private static List<Modification> failed(final Entry entry) {
      final var changes = new ArrayList<Modification>();
      final String now = String.valueOf(System.nanoTime());
      changes.add(new Modification(ModificationType.ADD, FAILURES, now));
      final String[] before = entry.getAttributeValues(FAILURES);
      if (before != null && before.length + 1 >= MAX_FAILURES) changes.add(replace(LOCKED, time()));
      return changes;
    }

    @Override
    public void processModifyRequest(final InMemoryInterceptedModifyRequest intercepted)
        throws LDAPException {
      final DN requester = requesters.getOrDefault(intercepted.getConnectionID(), DN.NULL_DN);
      demand(requester, "password-reset");
      final var request = intercepted.getRequest();
      final var changes = new ArrayList<>(request.getModifications());
      final var controls = new ArrayList<>(request.getControlList());
      final var behavior = takeBehavior(controls);
      final Entry entry = server.getEntry(request.getDN());
      if (entry == null) throw new LDAPException(ResultCode.NO_SUCH_OBJECT);
      uniqueIds.put(entry.getParsedDN().toNormalizedString(), entry.getAttributeValue("entryUUID"));
      for (final Modification change : request.getModifications())
        if (change.getAttributeName().equalsIgnoreCase("userPassword")
            && change.getModificationType() == ModificationType.REPLACE)
          changes.addAll(set(entry, change.getValues()[0], requester, behavior));
      intercepted.setRequest(
          new ModifyRequest(request.getDN(), changes, controls.toArray(new Control[0])));
    }

    private static PasswordUpdateBehaviorRequestControlProperties takeBehavior(
        final List<Control> controls) throws LDAPException {
      for (final Control control : List.copyOf(controls)) {
        if (!control
            .getOID()
            .equals(PasswordUpdateBehaviorRequestControl.PASSWORD_UPDATE_BEHAVIOR_REQUEST_OID))
          continue;
        controls.remove(control);
        return new PasswordUpdateBehaviorRequestControlProperties(
            new PasswordUpdateBehaviorRequestControl(control));
      }
      return new PasswordUpdateBehaviorRequestControlProperties();
    }

    /** The policy allows pre-encoded passwords and forces a change after a reset, unless the control overrides that. */
    private static List<Modification> set(
        final Entry entry,
        final String password,
        final DN requester,
        final PasswordUpdateBehaviorRequestControlProperties behavior)
        throws LDAPException {
      final boolean encoded = password.startsWith("{SSHA256}");
      if (encoded && Boolean.FALSE.equals(behavior.getAllowPreEncodedPassword())) refuse();
      final boolean skips = Boolean.TRUE.equals(behavior.getSkipPasswordValidation());
      if (!skips && password.codePointCount(0, password.length()) < MIN_LENGTH) refuse();
      final var history =
          histories.computeIfAbsent(
              entry.getAttributeValue("entryUUID"), uuid -> new ArrayList<>());
      final String digest = digestOf(password);
      if (!Boolean.TRUE.equals(behavior.getIgnorePasswordHistory()) && history.contains(digest))
        refuse();
      history.add(digest);
      final boolean self = Boolean.TRUE.equals(behavior.getIsSelfChange());
      final Boolean wanted = behavior.getMustChangePassword();
      final boolean mustChange = wanted == null ? !self : wanted;
      return List.of(
          mustChange ? replace(RESET, "true") : replace(RESET),
          replace(CHANGED, time()),
          replace(LOCKED),
          replace(FAILURES));
    }

    private static void refuse() throws LDAPException {
      throw new LDAPException(ResultCode.CONSTRAINT_VIOLATION);
    }

    /** Compares the numbers of changes as numbers: without a schema the server compares them as text. */
    @Override
    public void processSearchRequest(final InMemoryInterceptedSearchRequest intercepted)
        throws LDAPException {
      final var request = intercepted.getRequest().duplicate();
      if (!request.getBaseDN().equalsIgnoreCase("cn=changelog")) return;
      long from = 0;
      long to = Long.parseLong(server.getRootDSE().getAttributeValue("lastChangeNumber"));
      for (final Filter part : request.getFilter().getComponents()) {
        final long number = Long.parseLong(part.getAssertionValue());
        if (part.getFilterType() == Filter.FILTER_TYPE_GREATER_OR_EQUAL) from = number;
        else to = Math.min(to, number);
      }
      if (request.getFilter().getComponents().length == 0) return;
      request.setFilter(
          Filter.createORFilter(
              LongStream.rangeClosed(from, to)
                  .mapToObj(number -> Filter.createEqualityFilter("changeNumber", "" + number))
                  .toList()));
      intercepted.setRequest(request);
    }

    @Override
    public void processSearchEntry(final InMemoryInterceptedSearchEntry found) {
      if (found.getSearchEntry().hasAttribute("changeNumber")) addDetails(found);
      if (!found.getRequest().getAttributeList().contains(STATE)) return;
      try {
        demand(requesters.get(found.getConnectionID()), "password-reset");
        final Entry entry = server.getEntry(found.getSearchEntry().getDN());
        final Entry copy = found.getSearchEntry().duplicate();
        copy.addAttribute(STATE, stateOf(entry).toSingleLineString());
        found.setSearchEntry(copy);
      } catch (final LDAPException refusal) {
        // A requester without the right to read an attribute gets the entry without it.
      }
    }

    /** Adds the attributes that PingDirectory records for a change ({@code UnboundIDChangeLogEntry} of the SDK). */
    private static void addDetails(final InMemoryInterceptedSearchEntry found) {
      try {
        final Entry entry = server.getEntry(found.getSearchEntry().getDN());
        final Entry copy = found.getSearchEntry().duplicate();
        copy.addAttribute("changeTime", entry.getAttributeValue("createTimestamp"));
        final DN target = new DN(entry.getAttributeValue("targetDN"));
        final String uniqueId = uniqueIds.get(target.toNormalizedString());
        if (uniqueId != null) copy.addAttribute("targetUniqueID", uniqueId);
        found.setSearchEntry(copy);
      } catch (final LDAPException problem) {
        throw new IllegalStateException(problem);
      }
    }

    private static JSONObject stateOf(final Entry entry) {
      final Date changed = entry.getAttributeValueAsDate(CHANGED);
      return new JSONObject(
          new JSONField("account-is-disabled", entry.hasAttributeValue(DISABLED, "true")),
          new JSONField("account-is-failure-locked", entry.hasAttribute(LOCKED)),
          new JSONField("must-change-password", entry.hasAttributeValue(RESET, "true")),
          changed == null
              ? new JSONField("has-static-password", true)
              : new JSONField("password-changed-time", StaticUtils.encodeRFC3339Time(changed)));
    }
  }

  private static Modification replace(final String attribute, final String... values) {
    return new Modification(ModificationType.REPLACE, attribute, values);
  }

  private static String time() {
    return StaticUtils.encodeGeneralizedTime(new Date());
  }

  private static String digestOf(final String password) throws LDAPException {
    try {
      final var digest = MessageDigest.getInstance("SHA-256");
      return StaticUtils.toHex(digest.digest(StaticUtils.getBytes(password)));
    } catch (final Exception problem) {
      throw new LDAPException(ResultCode.OTHER, problem);
    }
  }
}
