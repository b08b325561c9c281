import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Certificates } from '../../local/certificates';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly secure: boolean;
  readonly user: string | null;
}

/** A mail server on loopback that keeps what it receives. */
export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Refuses the next recipients with these SMTP codes, one for each. */
  refuse(...codes: number[]): void;
  stop(): Promise<void>;
}

export const MAIL_LOGIN = { user: 'lockstep', password: 'the password of the mail server' };

/**
 * @param mode how TLS is offered; `none` offers none
 * @param login whether a login is required
 */
export async function startMailServer(
  certificates: Certificates,
  mode: 'starttls' | 'tls' | 'none',
  login = false,
): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const refusals: number[] = [];
  const options: SMTPServerOptions = {
    secure: mode === 'tls',
    key: readFileSync(certificates.keyFile),
    cert: readFileSync(certificates.certFile),
    authOptional: !login,
    disabledCommands: [...(login ? [] : ['AUTH']), ...(mode === 'none' ? ['STARTTLS'] : [])],
    logger: false,
    onAuth({ username, password }, _session, callback) {
      const isRight = username === MAIL_LOGIN.user && password === MAIL_LOGIN.password;
      callback(isRight ? null : new Error('wrong'), { user: username });
    },
    onRcptTo(_address, _session, callback) {
      const responseCode = refusals.shift();
      callback(
        responseCode === undefined ? null : Object.assign(new Error('no'), { responseCode }),
      );
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
        });
        callback();
      });
    },
  };
  const server = new SMTPServer(options);
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    refuse: (...codes) => refusals.push(...codes),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
