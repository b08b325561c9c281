/** Codes of OpenSSL, of the drivers and of our own for a server that answers without TLS. */
const NO_TLS =
  /^(no_tls|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|HTTP_REQUEST|UNKNOWN_PROTOCOL))$/;

/** Codes of Node for a file that cannot be read. */
const NO_FILE = /^(ca_not_readable|ENOENT|ENOTDIR)$/;
const UNREADABLE_FILE = /^(EACCES|EISDIR|EPERM)$/;

/**
 * What is wrong if a TLS connection failed, as a sentence and its remedy for `lockstep doctor`. Null if the code shows
 * nothing more exact than that the certificate is not trusted, or that the server cannot be reached.
 */
export function tlsProblem(
  vendorCode: string | null,
): { readonly problem: string; readonly remedy: string } | null {
  const code = vendorCode ?? '';
  if (NO_TLS.test(code))
    return {
      problem: 'The server does not use TLS at this port',
      remedy: 'Enable TLS in the server, or correct the port in the settings.',
    };
  if (NO_FILE.test(code))
    return {
      problem: 'The file in ca does not exist, or the worker may not read it',
      remedy: 'Correct the path, which is a path on the machine of the worker.',
    };
  if (UNREADABLE_FILE.test(code))
    return {
      problem: 'The worker cannot read the file in ca',
      remedy: 'Give its user the right to read the file.',
    };
  return null;
}
