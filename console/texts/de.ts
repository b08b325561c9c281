import { counted } from './counted';
import type { Texts } from './texts';

export const de: Texts = {
  lang: 'de',
  otherLanguage: { lang: 'en', name: 'English' },
  change: {
    title: 'Passwort ändern',
    intro: 'Ein neues Passwort für alle Systeme, die auf dieser Seite stehen.',
    which: 'Welches Passwort?',
    userName: 'Benutzername',
    current: 'Aktuelles Passwort',
    currentHint: 'Auch wenn es abgelaufen ist.',
    next: 'Neues Passwort',
    show: 'Anzeigen',
    hide: 'Verbergen',
    shown: 'Das neue Passwort ist sichtbar.',
    hidden: 'Das neue Passwort ist verborgen.',
    suggest: 'Vorschlagen',
    suggested:
      'Speichern Sie dieses Passwort in Ihrem Passwort-Manager, oder notieren Sie es sicher.',
    submit: 'Passwort ändern',
    rulesTitle: 'Das neue Passwort',
    met: 'erfüllt',
    unmet: 'noch nicht erfüllt',
    later: 'wird beim Absenden geprüft',
    allMet: 'Alle Regeln, die sich hier prüfen lassen, sind erfüllt.',
    someUnmet: 'Noch nicht erfüllte Regeln: {n}.',
    coversTitle: 'Geändert wird Ihr Passwort in',
    covers: 'Systeme, in denen Sie kein Konto haben, werden übersprungen.',
    first: 'zuerst',
    forgottenTitle: 'Haben Sie Ihr Passwort vergessen?',
    forgottenSignIn:
      'Wenn Sie sich ohne Passwort anmelden können, etwa mit einem Passkey oder einer Chipkarte:',
    forgottenSignInLink: 'Anmelden und ein neues setzen',
    forgottenHelpDesk:
      'Sonst rufen Sie Ihren Helpdesk an. Er prüft, wer Sie sind, und gibt Ihnen einen Link oder einen Code, mit dem Sie ein neues setzen.',
    forgottenCode: 'Ich habe einen Code',
    withoutCurrent: {
      signedIn: 'Sie haben sich eben angemeldet und brauchen das aktuelle nicht.',
      link: 'Ihr Helpdesk hat geprüft, wer Sie sind; Sie brauchen das aktuelle nicht.',
    },
    closed: 'Auf dieser Seite lassen sich keine Passwörter ändern. Fragen Sie Ihren Helpdesk.',
  },
  rules: {
    minLength: (n) => `hat mindestens ${n} Zeichen`,
    maxLength: (n) => `hat höchstens ${n} Zeichen`,
    minAlpha: (n) => `hat mindestens ${n} Buchstaben`,
    minNonAlpha: (n) =>
      `hat mindestens ${n} Zeichen, ${counted(n, 'das kein Buchstabe ist', 'die keine Buchstaben sind')}`,
    minUpper: (n) => `hat mindestens ${n} Großbuchstaben`,
    minLower: (n) => `hat mindestens ${n} Kleinbuchstaben`,
    minNumeric: (n) => `hat mindestens ${n} ${counted(n, 'Ziffer', 'Ziffern')}`,
    minSpecial: (n) =>
      `hat mindestens ${n} Zeichen, ${counted(n, 'das weder Buchstabe noch Ziffer ist', 'die weder Buchstaben noch Ziffern sind')}`,
    minCharacterTypes: (n) =>
      `hat ${n} dieser Arten: Großbuchstaben, Kleinbuchstaben, Ziffern, andere Zeichen`,
    maxRepeatedChars: (n) =>
      counted(
        n,
        'hat kein Zeichen zweimal hintereinander',
        `hat kein Zeichen mehr als ${n} Mal hintereinander`,
      ),
    allowed: (set) => `hat nur diese Zeichen: ${set}`,
    notAllowed: (set) => `hat keines dieser Zeichen: ${set}`,
    identityWordMinLength: () => 'enthält nicht Ihren eigenen Namen',
    validateAgainstAccountName: () => 'enthält nicht den Namen eines Ihrer Konten',
    validateAgainstAccountId: () => 'enthält keine Wörter, die Ihre Konten bezeichnen',
    notCommon: () => 'gehört nicht zu denen, die Angreifer zuerst versuchen',
    minStrength: () => 'ist schwer zu erraten',
    lists: () => 'steht in keiner Liste gestohlener oder leicht zu erratender Passwörter',
    history: (n) =>
      counted(n, 'ist nicht Ihr letztes Passwort', `ist keines Ihrer letzten ${n} Passwörter`),
    minAgeSeconds: (n) => {
      const hours = Math.ceil(Number(n) / 3600);
      return `ist nicht die zweite Änderung innerhalb ${counted(hours, 'einer Stunde', `von ${hours} Stunden`)}`;
    },
  },
  onlyIn: (source, rule) => `${rule} (${source})`,
  problems: {
    title: 'Ihr Passwort wurde nicht geändert',
    wrong:
      'Der Benutzername oder das aktuelle Passwort ist falsch. Es wurde nichts geändert. Nach zwei falschen Passwörtern werden einen Tag lang keine weiteren angenommen; Ihr Helpdesk kann helfen.',
    blocked:
      'Für diesen Benutzernamen gab es zu viele falsche Passwörter. Versuchen Sie es in einem Tag noch einmal, oder fragen Sie Ihren Helpdesk.',
    rules: 'Das neue Passwort erfüllt diese Regeln nicht. Es wurde nichts geändert.',
    group: 'Sie haben mehr als ein Passwort. Wählen Sie, welches Sie ändern.',
    notNow:
      'Im Moment lassen sich keine Passwörter ändern. Es wurde nichts geändert. Versuchen Sie es später noch einmal.',
    notNowHere: 'Das geht im Moment nicht. Versuchen Sie es später noch einmal.',
    missing: 'Füllen Sie alle Felder aus.',
    tooMany:
      'Aus diesem Netz kamen zu viele Versuche. Warten Sie zehn Minuten, und versuchen Sie es noch einmal.',
    refused: 'Das Passwort ließ sich nicht ändern. Es wurde nichts geändert.',
    otherSite:
      'Dieses Formular kam von einer anderen Website. Öffnen Sie diese Seite neu, und senden Sie das Formular von hier.',
    notFound:
      'Unter dieser Adresse gibt es keine Seite, oder dieser Browser kann sie nicht mehr zeigen.',
  },
  progress: {
    title: 'Ihr neues Passwort',
    checking: 'Ihr aktuelles Passwort wird geprüft.',
    done: 'Fertig: Ihr neues Passwort gilt überall.',
    working: 'Ihr neues Passwort gilt. Die anderen Systeme erhalten es jetzt.',
    waiting: 'Ihr neues Passwort gilt. Einige Systeme erhalten es später; Sie müssen nichts tun.',
    waitingParked:
      'Ihr neues Passwort gilt, aber Ihr Helpdesk muss sich einige Systeme ansehen, bevor sie es erhalten.',
    notYet: 'Ihr Passwort ist noch nicht geändert.',
    partial: 'Ihr neues Passwort gilt, aber nicht in jedem System.',
    doneHere: 'Fertig. Die Liste zeigt, welche Systeme Ihr neues Passwort haben.',
    storedOnly:
      'Das Passwort, das Sie geändert haben, ist hier für Ihre Anmeldung gespeichert. Kein anderes System wurde geändert.',
    changedThereOnly:
      'Ihr neues Passwort gilt dort, wo Sie es geändert haben. In kein anderes System wurde es geschrieben.',
    refused: 'Ihr Passwort wurde nicht geändert. Ihr altes Passwort gilt weiter.',
    refusedHere:
      'Ihr neues Passwort gilt nur dort, wo die Liste es zeigt. Überall sonst gilt weiter Ihr altes.',
    refusedUnsure:
      'Es ist nicht sicher, ob Ihr Passwort geändert wurde. Gilt das neue nicht, versuchen Sie das alte.',
    expired: 'Ein System war zu lange nicht erreichbar.',
    cancelled: 'Diese Änderung wurde abgebrochen.',
    superseded: 'Eine neuere Änderung Ihres Passworts hat diese ersetzt.',
    accounts: 'Ihre Konten',
    nextTry: (time) => `Nächster Versuch um ${time}.`,
    until: (time) => `Wir versuchen es bis ${time}.`,
    holds: {
      new: 'Dort gilt Ihr neues Passwort, weil Sie es dort geändert haben.',
      earlier: 'Dort gilt noch Ihr altes Passwort.',
      newer: 'Es hat seither ein anderes Passwort bekommen.',
      unknown: 'Es ist nicht bekannt, welches Ihrer Passwörter dort gilt.',
    },
    notVerified: 'Das System hat es angenommen; keine Anmeldung hat es bestätigt.',
    mayClose:
      'Sie können diese Seite schließen. Sie hat ihre eigene Adresse und zeigt den aktuellen Stand, wenn Sie wiederkommen.',
    ended: 'Diese Seite wird nicht mehr aktualisiert, weil Ihre Anmeldung beendet ist.',
    lost: 'Der Server ist nicht erreichbar. Die Seite zeigt den Stand der Uhrzeit unten und versucht es weiter.',
    again: 'Passwort noch einmal ändern',
    proved: (time) => `Eine Anmeldung um ${time} hat es bestätigt.`,
    states: {
      has: 'hat Ihr neues Passwort',
      writing: 'erhält es jetzt',
      waits: 'wartet',
      parked: 'wartet auf den Helpdesk',
      refused: 'hat es abgelehnt',
      leftOut: 'ausgelassen',
      notTried: 'wurde nicht geändert',
    },
    afterTitle: 'Wo Ihr altes Passwort noch gespeichert sein kann',
    after: [
      'Telefon und Tablet: Geben Sie das neue Passwort für Mail, Kalender und WLAN ein.',
      'Ihr Rechner: Sperren Sie ihn, und entsperren Sie ihn mit dem neuen Passwort; verbinden Sie Netzlaufwerke neu.',
      'Andere Rechner, an denen Sie angemeldet sind: Melden Sie sich dort ab und wieder an.',
      'Browser und Passwort-Manager: Speichern Sie das neue Passwort.',
    ],
    asOf: (time) => `Stand ${time}.`,
  },
  reasons: {
    away: 'Das System ist im Moment nicht erreichbar. Sie müssen nichts tun.',
    paused:
      'Die Betreiber haben dieses System angehalten. Es erhält Ihr Passwort, wenn sie es fortsetzen; Sie müssen nichts tun.',
    maintenance:
      'Dieses System wird gerade gewartet. Es erhält Ihr Passwort danach; Sie müssen nichts tun.',
    operators:
      'Die Betreiber müssen etwas richten, bevor dieses System Ihr Passwort erhält. Sie müssen nichts tun.',
    turn: 'Gerade werden viele Passwörter geändert; Ihres kommt bald an die Reihe. Sie müssen nichts tun.',
    parked:
      'Von selbst wird es nicht noch einmal versucht: Ihr Helpdesk oder die Betreiber müssen es sich erst ansehen. Rufen Sie Ihren Helpdesk an, und nennen Sie diese Seite.',
    locked:
      'Das Konto ist gesperrt. Es erhält das Passwort, wenn die Sperre endet; schneller geht es, wenn Ihr Helpdesk sie aufhebt.',
    lockedOut:
      'Das Konto ist gesperrt; Sie können sich dort erst anmelden, wenn die Sperre endet. Schneller geht es, wenn Ihr Helpdesk sie aufhebt.',
    checking: 'Das System prüft die Änderung. Sie müssen nichts tun.',
    othersFirst: 'Es erhält das Passwort nach allen anderen Systemen.',
    tooShort:
      'Das System verlangt ein längeres Passwort. Ändern Sie es noch einmal, und wählen Sie ein längeres.',
    tooLong:
      'Das System verlangt ein kürzeres Passwort. Ändern Sie es noch einmal, und wählen Sie ein kürzeres.',
    tooSimple:
      'Das System verlangt mehr Arten von Zeichen. Ändern Sie es noch einmal, mit Buchstaben, Ziffern und anderen Zeichen.',
    usedBefore:
      'Dieses Passwort hatten Sie schon. Ändern Sie es noch einmal, und wählen Sie ein neues.',
    tooYoung: 'Das System erlaubt noch keine zweite Änderung. Ändern Sie es morgen noch einmal.',
    notAllowed:
      'Das System nimmt dieses Passwort nicht an. Ändern Sie es noch einmal, und wählen Sie ein anderes.',
    character:
      'Das System nimmt eines der Zeichen nicht an. Ändern Sie es noch einmal, ohne Sonderzeichen.',
    noAccount: 'Dort haben Sie kein Konto.',
    helpDesk: 'Dort muss Ihr Helpdesk etwas richten. Rufen Sie an, und nennen Sie diese Seite.',
    disabled: 'Das Konto ist abgeschaltet. Ihr Helpdesk kann es einschalten.',
    noOwnPassword: 'Dieses Konto hat kein eigenes Passwort. Sie müssen nichts tun.',
    wrongCurrent: 'Das aktuelle Passwort war falsch.',
    blocked:
      'Es gab zu viele falsche Passwörter. Versuchen Sie es in einem Tag noch einmal, oder fragen Sie Ihren Helpdesk.',
    notProved:
      'Das System hat das Passwort angenommen, aber eine Anmeldung damit schlug fehl. Rufen Sie Ihren Helpdesk an.',
    expired: 'Das System war zu lange nicht erreichbar. Ändern Sie Ihr Passwort noch einmal.',
    switchedOff: 'Dieses System ist im Moment abgeschaltet.',
    notPrimary: 'Das ist Ihr zweites Konto dort; geändert wird nur das erste.',
    mustChange: 'Das System verlangt bei der nächsten Anmeldung dort ein anderes Passwort.',
    already: 'Es hat dieses Passwort schon.',
    notTried:
      'Es wurde nicht geändert, weil ein anderes System das neue Passwort nicht angenommen hat.',
  },
  me: {
    title: 'Meine Konten',
    hello: (name) => `Angemeldet als ${name}.`,
    change: 'Mein Passwort ändern',
    changeHint: 'Auch wenn Sie es vergessen haben: Eine Anmeldung der letzten Minuten genügt.',
    signOut: 'Abmelden',
    holds: {
      newest: 'hat Ihr neuestes Passwort',
      older: 'hat ein älteres Passwort',
      changedThere: 'hat ein Passwort, das dort geändert wurde',
      unsure: 'welches Passwort es hat, ist nicht bekannt',
      unwritten: 'hat ein Passwort, das nicht hier gesetzt wurde',
    },
    since: (time) => `Seit ${time}.`,
    verified: 'Eine Anmeldung hat es bestätigt.',
    behind: 'Ändern Sie Ihr Passwort noch einmal, dann erhält auch dieses Konto das neue.',
    noAccounts: 'Hier ist kein Konto von Ihnen bekannt. Fragen Sie Ihren Helpdesk.',
    changes: 'Meine Änderungen',
    noChanges: 'Ihr Passwort wurde hier noch nicht geändert.',
    changeStates: {
      accepted: 'läuft',
      applying: 'läuft',
      waiting: 'einige Systeme warten',
      done: 'fertig',
      partial: 'nicht in jedem System',
      refused: 'abgelehnt',
      failed: 'fehlgeschlagen',
      expired: 'abgelaufen',
      cancelled: 'abgebrochen',
      superseded: 'durch eine neuere ersetzt',
    },
    notices: 'Meine Benachrichtigungen',
    noNotices: 'Sie haben in den letzten Wochen keine bekommen.',
    noticeKinds: {
      password_changed: 'Ihr Passwort wurde geändert.',
      password_expiring: 'Ihr Passwort läuft bald ab.',
      password_expired: 'Ihr Passwort ist abgelaufen.',
      one_time_link: 'Ihr Helpdesk hat einen Link für ein neues Passwort gemacht.',
      password_incomplete: 'Ihr Passwort wurde nicht in jedem System geändert.',
    },
    notDelivered: 'Nicht zugestellt.',
    notMe: 'Wenn eine davon nicht von Ihnen war, rufen Sie Ihren Helpdesk an.',
    sessions: 'Wo ich noch angemeldet bin',
    noSessions: 'Sie sind nur in diesem Browser angemeldet.',
    session: (since, seen) => `Ein anderer Browser, seit ${since}, zuletzt benutzt ${seen}.`,
    endSession: 'Beenden',
    sessionHint:
      'Ist eine davon nicht von Ihnen, beenden Sie sie, ändern Sie Ihr Passwort, und rufen Sie Ihren Helpdesk an.',
  },
  applications: {
    title: 'Meine Anwendungen',
    intro:
      'Für diese Anwendungen ist hier ein Passwort gespeichert, damit Sie dort angemeldet werden können.',
    none: 'Keine Anwendung speichert hier ein Passwort für Sie.',
    states: {
      stored: 'Ihr Passwort ist gespeichert',
      wrong: 'das gespeicherte Passwort stimmt vielleicht nicht',
      missing: 'noch ist kein Passwort gespeichert',
      switchedOff: 'abgeschaltet',
      applicationOff: 'für alle abgeschaltet',
    },
    storedFrom: {
      change_verified: 'Eine Anmeldung hat es bestätigt.',
      change_accepted: 'Keine Anmeldung hat es bestätigt.',
      captured: 'Es ist das, das Sie in der Anwendung gesetzt haben.',
      followed: 'Es ist das Ihres Verzeichnisses; die Anwendung wurde nicht gefragt.',
      set_verified: 'Ein Administrator hat es gespeichert, eine Anmeldung hat es bestätigt.',
      set_unverified: 'Ein Administrator hat es gespeichert; keine Anmeldung hat es bestätigt.',
      set_by_person: 'Sie haben es gespeichert, eine Anmeldung hat es bestätigt.',
    },
    since: (time) => `Seit ${time}.`,
    follows: 'Ändert sich Ihr Passwort, ändert sich das gespeicherte mit.',
    doesNotFollow:
      'Es folgt Ihren Passwortänderungen nicht: Speichern Sie es nach jeder Änderung neu.',
    stored: 'Ein Passwort ist gespeichert und bleibt erhalten.',
    nextChange: 'Es wird gespeichert, wenn sich Ihr Passwort ändert oder Sie es hier speichern.',
    onlyNextChange: 'Es wird gespeichert, wenn sich Ihr Passwort ändert.',
    storeIt: 'Speichern Sie es hier noch einmal.',
    keptWhileOff:
      'Solange es abgeschaltet ist, werden Sie damit nicht angemeldet, und es wird nicht aktualisiert.',
    shared: 'Dieses Konto teilen Sie mit anderen. Ihr Helpdesk kümmert sich darum.',
    unverifiable: 'Selbst speichern können Sie es nicht, weil es sich hier nicht prüfen lässt.',
    reasons: {
      inDoubt: 'Es ist nicht bekannt, welches Ihrer Passwörter die Anwendung jetzt hat.',
      changedThere: 'Ihr Passwort wurde in der Anwendung selbst geändert.',
      notReadable: 'Ihr Passwort wurde so geändert, dass es nicht gespeichert werden konnte.',
      changedWhileOff: 'Ihr Passwort wurde geändert, während das hier abgeschaltet war.',
      soon: 'Ihr neues Passwort wird so bald wie möglich gespeichert. Sie müssen nichts tun.',
      unknown: 'Ihr Helpdesk weiß mehr.',
    },
    set: 'Passwort speichern',
    switchOn: 'Einschalten',
    switchOff: 'Abschalten',
    done: {
      stored: 'Das Passwort wurde geprüft und ist gespeichert.',
      on: 'Die Anwendung ist eingeschaltet.',
      off: 'Die Anwendung ist abgeschaltet.',
    },
    setTitle: (application) => `Passwort für ${application} speichern`,
    setIntro:
      'Geben Sie das Passwort ein, das die Anwendung jetzt hat. Es wird dort geprüft und nicht geändert.',
    account: 'Konto',
    password: 'Passwort der Anwendung',
    passwordHint: 'Es wird einmal geprüft. Nach einem falschen müssen Sie fünfzehn Minuten warten.',
    submit: 'Prüfen und speichern',
    back: 'Zurück zu meinen Anwendungen',
    notStored: 'Das Passwort wurde nicht gespeichert',
    problems: {
      missing: 'Geben Sie das Passwort ein.',
      wrong:
        'Das ist nicht das Passwort, das die Anwendung jetzt hat. Warten Sie fünfzehn Minuten, und versuchen Sie es dann noch einmal.',
      wait: 'Vorher war ein Passwort falsch. Warten Sie fünfzehn Minuten, nach zwei falschen einen Tag, und versuchen Sie es dann noch einmal.',
      changing: 'Ihr Passwort wird gerade geändert. Das neue wird von selbst gespeichert.',
      notChecked:
        'Die Anwendung antwortet nicht, daher ließ sich das Passwort nicht prüfen. Versuchen Sie es später noch einmal.',
      notAllowed: 'Dieses Passwort können nur Ihre Administratoren speichern.',
    },
  },
  link: {
    title: 'Neues Passwort setzen',
    intro: 'Ihr Helpdesk hat für Sie einen Link gemacht, mit dem Sie ein neues Passwort setzen.',
    code: 'Code',
    codeHint:
      'Die sechzehn Buchstaben und Ziffern, die Ihr Helpdesk Ihnen gegeben hat, oder das Ende des Links.',
    submit: 'Weiter',
    invalid:
      'Dieser Code ist falsch, wurde schon benutzt oder ist abgelaufen. Bitten Sie Ihren Helpdesk um einen neuen.',
  },
  signIn: {
    title: 'Anmelden',
    again: 'Noch einmal anmelden',
    failed: 'Die Anmeldung hat nicht geklappt. Versuchen Sie es gleich noch einmal.',
    notStarted:
      'Diese Anmeldung wurde nicht in diesem Browser begonnen, oder eine andere hat sie ersetzt.',
    tooOld:
      'Es wurde nichts geändert, weil Ihre Anmeldung zu lange her ist. Melden Sie sich noch einmal an.',
    noRole:
      'Sie sind angemeldet, haben in dieser Konsole aber keine Rolle. Fragen Sie einen Administrator.',
    noPerson:
      'Sie sind angemeldet, aber Ihr Benutzer gehört hier zu keiner Person. Fragen Sie Ihren Helpdesk.',
    signedOut: 'Sie sind abgemeldet',
    signedOutSays: (provider) =>
      `Die Sitzung hier ist beendet. Bei ${provider} sind Sie vielleicht noch angemeldet.`,
    endThere: (provider) => `Auch bei ${provider} abmelden`,
  },
};
