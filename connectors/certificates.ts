import { readRegular } from '../guarded-file';

/** A file with every public authority has 250 KiB. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads a file of trusted authorities.
 * @throws Misconfigured when it is not a regular file of at most 1 MiB, or cannot be read
 */
export const readCertificates = (file: string): Buffer => readRegular(file, MAX_BYTES);
