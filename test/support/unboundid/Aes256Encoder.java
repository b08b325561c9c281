import com.unboundid.ldap.listener.Base64PasswordEncoderOutputFormatter;
import com.unboundid.ldap.listener.InMemoryPasswordEncoder;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.Modification;
import com.unboundid.ldap.sdk.ReadOnlyEntry;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.unboundidds.AES256EncodedPassword;
import com.unboundid.util.Base64;
import com.unboundid.util.StaticUtils;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** The storage scheme {AES256} of PingDirectory, implemented with the class that its SDK has for clients with the passphrase. */
public final class Aes256Encoder extends InMemoryPasswordEncoder {
  private final byte[] definition;
  private final char[] passphrase;

  /** @param definition id of the encryption settings definition, in hex */
  Aes256Encoder(final String definition, final String passphrase) throws Exception {
    super(
        AES256EncodedPassword.PASSWORD_STORAGE_SCHEME_PREFIX,
        Base64PasswordEncoderOutputFormatter.getInstance());
    this.definition = StaticUtils.fromHex(definition);
    this.passphrase = passphrase.toCharArray();
  }

  /** Reads lines with a definition in hex, its passphrase and a password in base64, and prints each encoded password. */
  public static void main(final String... arguments) throws Exception {
    final var input = new InputStreamReader(System.in, StandardCharsets.US_ASCII);
    for (final String line : new BufferedReader(input).lines().toList()) {
      final String[] parts = line.split(" ");
      final var encoder = new Aes256Encoder(parts[0], Base64.decodeToString(parts[1]));
      System.out.println(encoder.encoded(Base64.decode(parts[2])).getStringRepresentation(true));
    }
  }

  private AES256EncodedPassword encoded(final byte[] password) throws Exception {
    return AES256EncodedPassword.encode(definition, passphrase, password);
  }

  @Override
  protected byte[] encodePassword(
      final byte[] password, final ReadOnlyEntry entry, final List<Modification> changes)
      throws LDAPException {
    try {
      return encoded(password).getEncodedRepresentation();
    } catch (final Exception problem) {
      throw new LDAPException(ResultCode.OTHER, problem);
    }
  }

  @Override
  protected void ensurePreEncodedPasswordAppearsValid(
      final byte[] encoded, final ReadOnlyEntry entry, final List<Modification> changes)
      throws LDAPException {
    extractClearPassword(encoded, entry);
  }

  @Override
  protected boolean passwordMatches(
      final byte[] password, final byte[] encoded, final ReadOnlyEntry entry) throws LDAPException {
    return Arrays.equals(password, extractClearPassword(encoded, entry));
  }

  @Override
  protected byte[] extractClearPassword(final byte[] encoded, final ReadOnlyEntry entry)
      throws LDAPException {
    try {
      return AES256EncodedPassword.decode(encoded).decrypt(passphrase);
    } catch (final Exception problem) {
      throw new LDAPException(ResultCode.OTHER, problem);
    }
  }

  @Override
  public void toString(final StringBuilder buffer) {
    buffer.append("{AES256}");
  }
}
