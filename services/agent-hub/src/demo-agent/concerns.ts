/** Given, When, Then. */
export interface Scenario {
  given: string
  when: string
  outcome: string
}

export type ConcernAction = readonly [verb: string, object: string, scenarios?: readonly Scenario[]]

/**
 * Matters that descriptions and review comments keep coming back to, and what a specification
 * should say about each. `{feature}` stands for what is being specified.
 */
export interface Concern {
  id: string
  /** As it is named in a sentence. */
  noun: string
  match: RegExp
  /** What people do, where a description names only the thing (`add authentication`). */
  actions: readonly ConcernAction[]
  /** What it keeps, where the description names nothing to keep. */
  entities: readonly string[]
  requirements: readonly string[]
  scenario: Scenario
  edge: readonly [question: string, answer: string]
  success: string | null
  question: { requirement: string; ask: string; assume: string } | null
}

export const CONCERNS: readonly Concern[] = [
  {
    id: 'sign-in',
    noun: 'signing in',
    match:
      /\b(?:auth|authentication|authenticate|log ?in|logging in|sign ?in|signing in|sso|oauth ?\d?|openid|saml|passkeys?|magic links?)\b/i,
    actions: [
      [
        'sign in',
        '',
        [
          {
            given: 'a person who is not signed in',
            when: 'they sign in and the provider confirms who they are',
            outcome: 'they land on the page they wanted, signed in under their own name',
          },
          {
            given: 'the provider does not confirm who they are',
            when: 'they try to sign in',
            outcome: 'they stay signed out and read why, without a hint whether the account exists',
          },
        ],
      ],
      [
        'sign out',
        'on every device',
        [
          {
            given: 'a person is signed in on two devices',
            when: 'they sign out everywhere on one of them',
            outcome: 'the next click on the other one asks them to sign in',
          },
          {
            given: 'a person has signed out',
            when: 'somebody goes back in the browser’s history',
            outcome: 'nothing that belongs to the person shows',
          },
        ],
      ],
      [
        'see',
        'why signing in failed',
        [
          {
            given: 'a person called off the sign-in half-way',
            when: 'they come back',
            outcome: 'they read that nothing was changed and can start again',
          },
          {
            given: 'the account is locked',
            when: 'they try to sign in',
            outcome: 'they read what to do to get it unlocked',
          },
        ],
      ],
    ],
    entities: ['Account', 'Session'],
    requirements: [
      'Everything that belongs to one person MUST be out of reach for anybody who is not signed in as that person.',
      'After repeated failed attempts to sign in, further attempts MUST be slowed down, without telling whether the account exists.',
    ],
    scenario: {
      given: 'a person whose session has ended',
      when: 'they try to go on with what they were doing',
      outcome: 'they are asked to sign in and afterwards land where they were, with nothing lost',
    },
    edge: [
      'What happens when the identity provider or the mail service cannot be reached?',
      'Signing in fails with a message that says so; people who are already signed in go on working.',
    ],
    success: 'At least 95 of 100 people sign in on their first try, in less than 30 seconds.',
    question: {
      requirement: 'The system MUST offer exactly the ways to sign in that were agreed on.',
      ask: 'Which ways to sign in are wanted, and may one person have several of them?',
      assume: 'one way to sign in, the one that the description names, and one account per e-mail address',
    },
  },
  {
    id: 'rate-limiting',
    noun: 'rate limiting',
    match: /\b(?:rate[- ]?limit\w*|throttl\w+|quotas?|too many requests)\b/i,
    actions: [],
    entities: ['Limit'],
    requirements: [
      'Rate limiting MUST hold: above a set number of requests per person and minute the system refuses the rest, says so, and tells when to try again.',
    ],
    scenario: {
      given: 'a person has used up the requests allowed per minute',
      when: 'they send one more',
      outcome: 'it is refused with a message that names the limit and the time of the next try, and nothing is changed',
    },
    edge: [
      'What happens when many people share one address?',
      'The limit counts per signed-in person, so that they do not lock each other out.',
    ],
    success: 'With ten times the allowed requests from one person, the others notice no delay.',
    question: {
      requirement: 'The limit MUST be stated where people can read it.',
      ask: 'How many requests per minute may one person make?',
      assume: '60 requests per minute and person',
    },
  },
  {
    id: 'payments',
    noun: 'payments',
    match: /\b(?:pay|pays|payments?|paid|checkout|invoic\w+|billing|refunds?|subscriptions?|credit cards?|prices?)\b/i,
    actions: [
      ['pay', ''],
      ['see', 'what was paid and when'],
    ],
    entities: ['Payment', 'Receipt'],
    requirements: [
      'An amount MUST be charged at most once, also when a request is repeated or the connection breaks.',
      'Every payment MUST leave a record with amount, currency, time and outcome that the payer can see.',
    ],
    scenario: {
      given: 'a payment whose answer got lost on the way',
      when: 'the payer tries again',
      outcome: 'they are charged once and see one receipt',
    },
    edge: [
      'What happens when the payment provider refuses?',
      'Nothing is delivered, nothing is charged, and the payer reads the reason and can try another way.',
    ],
    success: 'Out of 10,000 payments none is charged twice.',
    question: {
      requirement: 'The system MUST accept exactly the currencies and ways of paying that were agreed on.',
      ask: 'Which currencies and which ways of paying are wanted?',
      assume: 'one currency and payment by card',
    },
  },
  {
    id: 'files',
    noun: 'files that people hand in',
    match: /\b(?:uploads?|uploading|attach\w*|imports?|importing|photos?|images?|videos?|csv)\b/i,
    actions: [],
    entities: ['File'],
    requirements: [
      'A file that is too large, empty, damaged or of an unsupported kind MUST be refused before anything is stored, with the reason.',
    ],
    scenario: {
      given: 'a file that is larger than allowed',
      when: 'a person hands it in',
      outcome: 'it is refused with the limit in the message, and the files handed in before are untouched',
    },
    edge: [
      'What happens when the connection breaks half-way through a file?',
      'The half file is thrown away; the person can send it again without finding it twice.',
    ],
    success: null,
    question: {
      requirement: 'The system MUST state which files it accepts before a person chooses one.',
      ask: 'Which kinds of file, and up to which size, must be accepted?',
      assume: 'the common formats of that kind of file, up to 25 MB each',
    },
  },
  {
    id: 'notifications',
    noun: 'messages to people',
    match: /\b(?:notif\w+|e-?mails?|reminders?|reminds?|alerts?|sms|push messages?)\b/i,
    actions: [
      ['receive', 'a message when something happens'],
      ['choose', 'which messages they get'],
    ],
    entities: ['Message'],
    requirements: [
      'Each message MUST be sent once, name what happened and lead to it; whoever receives it can turn this kind of message off.',
    ],
    scenario: {
      given: 'a person has turned this kind of message off',
      when: 'the event happens',
      outcome: 'they get no message, and the event is still recorded',
    },
    edge: [
      'What happens when a message cannot be delivered?',
      'It is tried again for a day; then the failure shows where the sender can see it.',
    ],
    success: '99 of 100 messages arrive within one minute of the event.',
    question: {
      requirement: 'A message MUST reach the person by the agreed channel in the agreed time.',
      ask: 'By which channel do messages reach people, and how soon after the event?',
      assume: 'by e-mail, within one minute',
    },
  },
  {
    id: 'sharing',
    noun: 'sharing and permissions',
    match:
      /\b(?:shar(?:e|es|ed|ing)|invit\w+|permissions?|roles?|access rights?|public links?|teams?|collaborat\w+)\b/i,
    actions: [
      ['share', 'with named people'],
      ['take back', 'what was shared'],
    ],
    entities: ['Share'],
    requirements: [
      'What was shared MUST be visible to exactly those it was shared with, and to nobody from the moment it is taken back.',
    ],
    scenario: {
      given: 'something was shared and then taken back',
      when: 'the other person opens it again',
      outcome: 'they are told that they have no access, and see nothing of it',
    },
    edge: [
      'What happens when the person who shared it leaves?',
      'It stays with its owner group; nobody gains access by it.',
    ],
    success: null,
    question: {
      requirement: 'The rights of those it is shared with MUST be stated at the moment of sharing.',
      ask: 'May those it is shared with change it, or only look?',
      assume: 'they may look and not change',
    },
  },
  {
    id: 'search',
    noun: 'search',
    match: /\b(?:search\w*|filters?|filtering|sort|sorting|look up)\b/i,
    actions: [
      ['search', 'by word'],
      ['narrow', 'the results down'],
    ],
    entities: ['Entry'],
    requirements: [
      'Search results MUST hold every match the person may see and none they may not, in an order that the page states.',
    ],
    scenario: {
      given: 'no entry matches the words',
      when: 'a person searches',
      outcome: 'they are told that nothing was found and how to widen the search',
    },
    edge: [
      'What happens with upper case, accents and spelling slips?',
      'Upper case and accents make no difference; a slip finds nothing and says so.',
    ],
    success: 'With 10,000 entries the results show within one second.',
    question: null,
  },
  {
    id: 'time',
    noun: 'dates and times',
    match: /\b(?:schedul\w+|calendar|appointments?|bookings?|book|reserv\w+|deadlines?)\b/i,
    actions: [],
    entities: ['Booking'],
    requirements: [
      'Times MUST be shown in the time zone of the person who looks, and keep their meaning when clocks change.',
    ],
    scenario: {
      given: 'two people want the same time',
      when: 'both confirm in the same second',
      outcome: 'one gets it, and the other is told at once and offered what is still free',
    },
    edge: [
      'What happens when a time lies in the past, or in the hour that clocks skip?',
      'It is refused with the reason and the next possible time.',
    ],
    success: null,
    question: {
      requirement: 'The system MUST hold changes and cancellations to one stated deadline.',
      ask: 'Until when may a date or time be changed or called off, and by whom?',
      assume: 'until it begins, by the person who made it',
    },
  },
  {
    id: 'interface',
    noun: 'a program’s access',
    match: /\b(?:apis?|api keys?|webhooks?|integrat\w+|endpoints?|sync\w*|third[- ]party)\b/i,
    actions: [],
    entities: ['Request'],
    requirements: [
      'A request that is repeated with the same content MUST have the effect of one, and an answer that reports an error MUST say what to change.',
    ],
    scenario: {
      given: 'the other system does not answer',
      when: 'the work needs it',
      outcome: 'the work waits and is tried again, and a person can see that it waits and why',
    },
    edge: [
      'What happens when the other system answers late or with nonsense?',
      'Its answer is refused, the reason is kept, and the state before holds.',
    ],
    success: null,
    question: {
      requirement: 'The same conflict MUST always be settled the same way.',
      ask: 'Which system has the last word when both sides changed the same thing?',
      assume: 'the latest change wins and the one before is kept in the history',
    },
  },
  {
    id: 'removal',
    noun: 'removal',
    match: /\b(?:delet\w+|remov(?:e|es|ed|ing|al)|archiv\w+|eras\w+|clear)\b/i,
    actions: [],
    entities: ['Entry'],
    requirements: [
      'What is removed MUST be confirmed first and be recoverable for 30 days; after that it is gone for good.',
    ],
    scenario: {
      given: 'something was removed by mistake',
      when: 'the person takes the removal back within 30 days',
      outcome: 'it is there again as it was',
    },
    edge: ['What happens to things that refer to what was removed?', 'They stay and say that it was removed.'],
    success: null,
    question: {
      requirement: 'Removing MUST be allowed to the agreed people only.',
      ask: 'Who may remove what others made, and for how long can it be brought back?',
      assume: 'only who made it, with 30 days to bring it back',
    },
  },
  {
    id: 'personal-data',
    noun: 'personal data',
    match: /\b(?:personal|privacy|gdpr|patients?|health|profiles?|addresses)\b/i,
    actions: [],
    entities: ['Person'],
    requirements: ['A person MUST be able to see what is kept about them, and have it corrected or removed.'],
    scenario: {
      given: 'a person asks what is kept about them',
      when: 'the request is answered',
      outcome: 'they get all of it in a form they can read, and nothing about anybody else',
    },
    edge: [
      'What happens to personal data in logs and reports?',
      'It is left out or masked; an internal number is enough to find a case.',
    ],
    success: null,
    question: {
      requirement: 'Personal data MUST be removed once it is no longer needed.',
      ask: 'How long may personal data be kept once it is no longer needed?',
      assume: '90 days',
    },
  },
  {
    id: 'reports',
    noun: 'figures and reports',
    match: /\b(?:reports?|charts?|dashboards?|statistics|metrics|analytics|exports?|exporting|pdf)\b/i,
    actions: [
      ['see', 'the figures of a period'],
      ['export', 'the figures'],
    ],
    entities: ['Figure'],
    requirements: [
      'Every figure MUST say which period and which entries it counts, and agree with the list it comes from.',
    ],
    scenario: {
      given: 'a period without any entry',
      when: 'the figures are shown or exported',
      outcome: 'they say zero for that period instead of leaving it out',
    },
    edge: [
      'What happens when entries change while the figures are made?',
      'The figures hold for the moment they were asked for, and name that moment.',
    ],
    success: null,
    question: {
      requirement: 'The figures MUST cover a stated period and be as fresh as agreed.',
      ask: 'Which period do the figures cover by default, and how fresh must they be?',
      assume: 'the last 30 days, no older than one hour',
    },
  },
  {
    id: 'appearance',
    noun: 'appearance and accessibility',
    match: /\b(?:dark mode|light mode|themes?|accessib\w+|screen readers?|layout|drag\w*|keyboard|tiles?|tile-like)\b/i,
    actions: [
      ['switch', 'between the looks'],
      ['keep', 'the chosen look on the next visit'],
    ],
    entities: ['Setting'],
    requirements: [
      'Everything MUST be usable by keyboard alone and readable at 200 % size, with a contrast of at least 4.5 to 1.',
    ],
    scenario: {
      given: 'a person who uses only the keyboard',
      when: 'they go through the page',
      outcome: 'they reach and use everything, and always see where they are',
    },
    edge: ['What happens on a screen of 360 pixels?', 'Everything is still reachable without sideways scrolling.'],
    success: null,
    question: null,
  },
  {
    id: 'speed',
    noun: 'speed',
    match: /\b(?:fast|faster|slow|latency|performance|cach\w+|real[- ]time|instant\w*|speed)\b/i,
    actions: [],
    entities: ['Request'],
    requirements: [
      'Every action MUST show its outcome within one second under the expected load, or show that it is at work.',
    ],
    scenario: {
      given: 'the expected number of people at work',
      when: 'one of them acts',
      outcome: 'the outcome, or the sign that work goes on, shows within one second',
    },
    edge: [
      'What happens under more load than expected?',
      'Work waits in order and says so; nothing is dropped in silence.',
    ],
    success: '95 of 100 actions show their outcome within one second.',
    question: {
      requirement: 'The speed MUST hold for the expected number of people at the same time.',
      ask: 'How many people use it at the same time on a busy day?',
      assume: '100 at the same time',
    },
  },
  {
    id: 'record',
    noun: 'a record of who did what',
    match: /\b(?:audit\w*|logging|logs|log of|history|traceab\w+|compliance)\b/i,
    actions: [],
    entities: ['Change'],
    requirements: [
      'Every change MUST leave a record of who made it, when, and what it was before; nobody can edit the record.',
    ],
    scenario: {
      given: 'something was changed by somebody',
      when: 'an authorised person looks at its history',
      outcome: 'they see who, when, and the value before and after',
    },
    edge: ['What happens when the record cannot be written?', 'The change does not happen either.'],
    success: null,
    question: {
      requirement: 'The record MUST be kept as long as required and no longer.',
      ask: 'How long must the record be kept?',
      assume: 'one year',
    },
  },
  {
    id: 'offline',
    noun: 'work without a connection',
    match: /\b(?:offline|without (?:a )?(?:connection|network|internet)|bad connection|mobile|network is down)\b/i,
    actions: [],
    entities: ['Change'],
    requirements: [
      'Without a connection, what was loaded before MUST stay readable, and changes wait and are sent once it is back.',
    ],
    scenario: {
      given: 'the connection is gone',
      when: 'a person makes a change',
      outcome: 'they see that it waits, and it is sent once when the connection is back',
    },
    edge: [
      'What happens when the same thing was changed elsewhere meanwhile?',
      'Both versions are kept and the person is asked which one holds.',
    ],
    success: null,
    question: null,
  },
]

export const concernsOf = (text: string): Concern[] => CONCERNS.filter((concern) => concern.match.test(text))
