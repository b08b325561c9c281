import { type NoticeFacts, shownTime, type Texts } from '../facts';

const list = (sources: readonly string[]): string => sources.join(', ');
const help = ({ contact }: NoticeFacts): string => contact ?? 'Ihren Helpdesk';
const some = ({ names, count }: NoticeFacts): string =>
  names.join(', ') + (count > names.length ? ` und ${count - names.length} weiteren` : '');
const endOf = ({ endsAt }: NoticeFacts): string =>
  endsAt === null ? 'unbekannten Zeitpunkt' : shownTime(endsAt);
const again = ({ reminder }: NoticeFacts): string => (reminder ? 'Erinnerung: ' : '');
/** The reasons are sentences of the reference, which is in English. */
const because = ({ reason }: NoticeFacts): string[] => (reason === null ? [] : [reason]);

export const german: Texts = {
  password_changed: (facts) => ({
    subject: 'Ihr Passwort wurde geändert',
    paragraphs: [
      `Das Passwort von ${facts.person} wurde am ${shownTime(facts.at)} geändert.`,
      `Falls Sie das nicht veranlasst haben, rufen Sie jetzt ${help(facts)} an. Andernfalls müssen Sie nichts tun.`,
    ],
  }),
  one_time_link: (facts) => ({
    subject: 'Ihr Link für ein neues Passwort',
    paragraphs: [
      `Ihr Helpdesk hat diesen Link für ${facts.person} gemacht. Er gilt einmal, bis ${shownTime(facts.endsAt ?? facts.at)}, und führt zu einer Seite, auf der Sie ein neues Passwort wählen:`,
      facts.link ?? '',
      `Falls Sie das nicht veranlasst haben, rufen Sie jetzt ${help(facts)} an.`,
    ],
  }),
  password_incomplete: (facts) => ({
    subject: 'Ihr neues Passwort gilt nicht überall',
    paragraphs: [
      `Das neue Passwort von ${facts.person} wurde hier nicht angenommen: ${list(facts.sources)}. ${facts.unsure.length === 0 ? 'Dort gilt weiterhin das bisherige Passwort.' : `Welches Ihrer Passwörter gilt, ist nicht bekannt in: ${list(facts.unsure)}.`}`,
      `Wählen Sie auf demselben Weg wie zuletzt ein anderes Passwort, oder rufen Sie ${help(facts)} an.`,
    ],
  }),
  password_expiring: (facts) => ({
    subject: 'Ihr Passwort läuft bald ab',
    paragraphs: [
      `Das Passwort von ${facts.person} (${facts.about}) läuft am ${endOf(facts)} ab.`,
      `Ändern Sie es vorher auf demselben Weg wie zuletzt, oder fragen Sie ${help(facts)}. Lockstep fragt nie in einer Nachricht nach einem Passwort, und diese Nachricht enthält keinen Link.`,
    ],
  }),
  password_expired: (facts) => ({
    subject: 'Ihr Passwort ist abgelaufen',
    paragraphs: [
      `Das Passwort von ${facts.person} (${facts.about}) ist am ${endOf(facts)} abgelaufen.`,
      `Ändern Sie es jetzt auf demselben Weg wie zuletzt, oder fragen Sie ${help(facts)}. Lockstep fragt nie in einer Nachricht nach einem Passwort, und diese Nachricht enthält keinen Link.`,
    ],
  }),
  change_parked: (facts) => ({
    subject: `Eine Passwortänderung in ${facts.subject} braucht Sie`,
    paragraphs: [
      `Versuche, ein Konto in ${facts.subject} zu ändern, sind aus unbekanntem Grund gescheitert; Lockstep hat das Konto geparkt. Weitere geparkte Konten dieser Quelle lösen heute keine weitere Nachricht aus.`,
      ...because(facts),
      `Rufen Sie "lockstep status ${facts.changeId}" auf, beheben Sie die Ursache, und rufen Sie dann "lockstep retry ${facts.changeId}" auf.`,
    ],
  }),
  source_down: (facts) => ({
    subject: `${again(facts)}Die Quelle ${facts.subject} ist ausgefallen`,
    paragraphs: [
      `Die Quelle ${facts.subject} ist seit ${shownTime(facts.at)} ausgefallen. Ihre Konten warten und bekommen die neuen Passwörter, sobald sie wieder läuft.`,
      ...because(facts),
      `Prüfen Sie die Quelle. "lockstep doctor ${facts.subject}" zeigt, was nicht stimmt.`,
    ],
  }),
  source_paused: (facts) => ({
    subject: `${again(facts)}Die Quelle ${facts.subject} ist angehalten`,
    paragraphs: [
      `Die Quelle ${facts.subject} ist seit ${shownTime(facts.at)} angehalten. Ihre Konten warten, bis ein Betreiber sie fortsetzt.`,
      ...because(facts),
      `Beheben Sie die Ursache, und rufen Sie dann "lockstep sources resume ${facts.subject}" auf.`,
    ],
  }),
  source_up: (facts) => ({
    subject: `Die Quelle ${facts.subject} läuft wieder`,
    paragraphs: [
      `Die Quelle ${facts.subject} läuft seit ${shownTime(facts.at)} wieder. Die wartenden Konten bekommen jetzt ihre Passwörter.`,
      'Sie müssen nichts tun.',
    ],
  }),
  source_unstable: (facts) => ({
    subject: `Die Quelle ${facts.subject} ist instabil`,
    paragraphs: [
      `Die Quelle ${facts.subject} ist innerhalb einer Stunde mehrmals kurz ausgefallen.`,
      `Prüfen Sie die Quelle und das Netz dorthin. "lockstep doctor ${facts.subject}" zeigt, was gerade nicht stimmt.`,
    ],
  }),
  relay_silent: (facts) => ({
    subject: `${again(facts)}Ein Relay von ${facts.about} meldet sich nicht`,
    paragraphs: [
      `Das Relay ${facts.subject} der Quelle ${facts.about} hat sich zuletzt am ${shownTime(facts.at)} gemeldet. Dort geänderte Passwörter werden erst übertragen, wenn es wieder da ist.`,
      'Prüfen Sie den Rechner des Relays, seinen Dienst und seine Verbindung zur API. "lockstep captures" zeigt alle Relays.',
    ],
  }),
  relay_heard: (facts) => ({
    subject: `Das Relay von ${facts.about} ist wieder da`,
    paragraphs: [
      `Das Relay ${facts.subject} der Quelle ${facts.about} hat sich am ${shownTime(facts.at)} wieder gemeldet.`,
      'Sie müssen nichts tun.',
    ],
  }),
  key_ending: (facts) => ({
    subject: `Der API-Schlüssel "${facts.about}" läuft bald ab`,
    paragraphs: [
      `Der API-Schlüssel "${facts.about}" (${facts.subject}) läuft am ${endOf(facts)} ab. Danach werden seine Anfragen abgelehnt.`,
      'Legen Sie mit "lockstep keys create" einen neuen an, ersetzen Sie den alten, und widerrufen Sie diesen mit "lockstep keys revoke".',
    ],
  }),
  master_key_unsaved: (facts) => ({
    subject: 'Der Hauptschlüssel ist nicht gesichert',
    paragraphs: [
      `Eine Sicherung des Hauptschlüssels ${facts.subject} des Workers ist nicht vermerkt. Geht sein Schlüsselordner verloren, sind alle gespeicherten Anmeldedaten verloren.`,
      'Rufen Sie auf dem Rechner des Workers auf: lockstep sso secret backup DATEI. Bewahren Sie die Datei und ihre Passphrase getrennt und außerhalb der Datenbank auf.',
    ],
  }),
  accounts_missing: (facts) => ({
    subject: `Verknüpfte Konten fehlen in ${facts.subject} (${facts.count})`,
    paragraphs: [
      `Eine vollständige Liste von ${facts.subject} zeigt die verknüpften Konten dieser Personen nicht mehr: ${some(facts)}.`,
      ...(facts.left
        ? [
            `An ${facts.subject} melden sich diese Personen zuerst an. Wer dort kein anderes Konto hat, ist vermutlich ausgeschieden.`,
          ]
        : []),
      facts.endsAt === null
        ? 'Die Konten bleiben verknüpft. Wurden die Konten gelöscht, entfernen Sie die Verknüpfungen mit "lockstep identities unlink"; andernfalls prüfen Sie, welche Konten das Dienstkonto lesen darf.'
        : `Erscheinen sie nicht wieder, löst der erste Abgleich nach dem ${shownTime(facts.endsAt)} die Verknüpfungen. Falls das falsch ist, prüfen Sie, welche Konten das Dienstkonto lesen darf.`,
    ],
  }),
  accounts_returned: (facts) => ({
    subject: `Fehlende Konten sind wieder in ${facts.subject} (${facts.count})`,
    paragraphs: [
      `${facts.subject} zeigt wieder die Konten dieser Personen, die gefehlt hatten: ${some(facts)}.`,
      'Sie müssen nichts tun.',
    ],
  }),
  accounts_unlinked: (facts) => ({
    subject: `Fehlende Konten in ${facts.subject} sind nicht mehr verknüpft (${facts.count})`,
    paragraphs: [
      `Die Konten dieser Personen fehlten zu lange in ${facts.subject}: ${some(facts)}. Lockstep hat die Verknüpfungen und die gespeicherten Anmeldedaten dieser Konten gelöscht.`,
      'Sind Personen ausgeschieden, entfernen Sie sie mit "lockstep identities delete".',
    ],
  }),
  list_suspicious: (facts) => ({
    subject: `Eine Liste von ${facts.subject} ist vermutlich falsch`,
    paragraphs: [
      `In einer Liste von ${facts.subject} fehlen zu viele verknüpfte Konten auf einmal (${facts.count}). Eine solche Liste löst keine Verknüpfung.`,
      `Prüfen Sie Einstellungen und Rechte des Dienstkontos mit "lockstep doctor ${facts.subject}". Wurden die Konten wirklich gelöscht, erhöhen Sie leavers.maxLostPercent der Quelle und gleichen Sie sie ab.`,
    ],
  }),
  test: (facts) => ({
    subject: 'Testnachricht von Lockstep',
    paragraphs: [
      `Ein Betreiber prüft den Kanal ${facts.subject}.`,
      'Sie müssen nichts tun: der Kanal funktioniert.',
    ],
  }),
};
