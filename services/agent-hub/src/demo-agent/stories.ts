import type { Scenario } from './concerns.ts'
import { capitalise } from './clean-text.ts'
import { phraseOf, type Action, type Description } from './read-description.ts'
import { SYSTEM_ACTOR } from './read-sentence.ts'
import type { VerbKind } from './verbs.ts'

export interface Story {
  title: string
  narrative: string
  why: string
  independent_test: string
  scenarios: Scenario[]
  requirements: string[]
  success: string
}

/** What goes well and what goes wrong when something of this kind is done. `when` is added where it is the action itself. */
const BY_KIND: Readonly<
  Record<VerbKind, { good: Omit<Scenario, 'when'>; bad: Omit<Scenario, 'when'>; rule: string; test: string }>
> = {
  create: {
    good: {
      given: 'everything required has been filled in',
      outcome: 'the result shows at once and is still there after the page is opened again',
    },
    bad: {
      given: 'something required is missing or wrong',
      outcome: 'nothing is saved, the message names what to correct, and what was entered is kept',
    },
    rule: 'MUST check what was entered before it is saved, and name each thing that has to be corrected.',
    test: 'Enter one, open the page again, and find it as it was entered; then leave something out and read the message.',
  },
  read: {
    good: {
      given: 'there are several entries, some of which fit',
      outcome: 'they see exactly those that fit, in an order that the page states',
    },
    bad: { given: 'there is nothing to show yet', outcome: 'the page says so and offers the next sensible step' },
    rule: 'MUST show the present state and say so where something cannot be shown.',
    test: 'Prepare three entries of which two fit, and compare what shows with what was prepared.',
  },
  change: {
    good: {
      given: 'an entry exists',
      outcome: 'the new state shows at once, holds after the page is opened again, and nothing else has changed',
    },
    bad: {
      given: 'somebody else changed the same entry a moment before',
      outcome: 'they are told, see both versions, and decide which one holds',
    },
    rule: 'MUST NOT overwrite in silence what somebody else has changed in the meantime.',
    test: 'Prepare one entry, change it, open the page again, and compare.',
  },
  remove: {
    good: {
      given: 'an entry exists',
      outcome: 'they confirm once, it is gone from every list, and the way back is offered',
    },
    bad: { given: 'the entry is already gone', outcome: 'they are told so, and nothing else happens' },
    rule: 'MUST ask once before something is taken away, and name what it is.',
    test: 'Prepare two entries, take one away, and see that only the other is left.',
  },
  send: {
    good: {
      given: 'the recipient is known',
      outcome: 'the recipient gets it once, and the sender sees that it went out',
    },
    bad: {
      given: 'the recipient cannot be reached',
      outcome: 'the sender sees that it failed and why, and can try again without sending twice',
    },
    rule: 'MUST deliver each one once, and show the sender whether it arrived.',
    test: 'Use an inbox of one’s own as the recipient, and count what arrives.',
  },
  enter: {
    good: { given: 'a person with a valid account', outcome: 'they are where they wanted to go within one step' },
    bad: {
      given: 'the details are wrong or the account is closed',
      outcome: 'they are refused with a message that helps them on and gives nothing away',
    },
    rule: 'MUST give the same answer for a wrong name and a wrong secret.',
    test: 'Use one valid and one closed account, and compare where each one lands.',
  },
  produce: {
    good: {
      given: 'there is something to work on',
      outcome: 'they get a complete result that agrees with what is on the screen',
    },
    bad: { given: 'there is nothing to work on', outcome: 'they are told so instead of getting an empty result' },
    rule: 'MUST produce the whole result or none, and say which moment it stands for.',
    test: 'Prepare known entries, and compare the result with them line by line.',
  },
  use: {
    good: { given: 'it is available to them', outcome: 'it does what its name says, and they see that it has' },
    bad: {
      given: 'something it needs is missing',
      outcome: 'they are told what is missing and what to do, and nothing is left half done',
    },
    rule: 'MUST say what happened after each use, the failed ones included.',
    test: 'Use it once with everything in place and once with something missing, and compare the answers.',
  },
}

const WHY_LATER: Readonly<Record<VerbKind, string>> = {
  create: 'Without entries the rest has nothing to work on.',
  read: 'People look far more often than they change something.',
  change: 'It keeps what is there true; entries can first be made anew instead.',
  remove: 'Mistakes have to be taken back, but hardly on the first day.',
  send: 'It brings other people in once the main path works.',
  enter: 'It is needed before anybody’s own things are at stake.',
  produce: 'It carries the result to where it is needed.',
  use: 'It completes the main path.',
}

/** The stories of a description, most important first; always at least two, the last one about failure. */
export function storiesOf(description: Description): Story[] {
  const stories = description.actions.map((action, index) => storyOf(action, index))
  if (stories.length > 1) return stories
  return [...stories, failureStory(description)]
}

function storyOf(action: Action, index: number): Story {
  const phrase = phraseOf(action)
  const { good, bad, rule, test } = BY_KIND[action.kind]
  const why =
    index === 0 ? 'It is what the description asks for first; everything else builds on it.' : WHY_LATER[action.kind]
  const shared = { title: capitalise(phrase), why }
  if (action.actor === SYSTEM_ACTOR) {
    return {
      ...shared,
      narrative: `The system has to ${phrase} without anybody asking for it; people rely on it and look only when it fails.`,
      independent_test: `Bring about the situation, wait, and look at the outcome and its record.`,
      scenarios: [
        {
          given: 'everything it needs is there',
          when: `the moment comes to ${phrase}`,
          outcome: 'the system does it once and records the outcome',
        },
        {
          given: 'it does not succeed',
          when: `the system tries to ${phrase}`,
          outcome: 'it tries again after a growing pause, and a person can see why',
        },
      ],
      requirements: [
        `The system MUST ${phrase}.`,
        'The system MUST record each outcome with its time, and tell a person when it gives up.',
      ],
      success: `Out of 1,000 occasions to ${phrase}, none is missed and none is handled twice.`,
    }
  }
  return {
    ...shared,
    narrative: `${article(action.actor)} wants to ${phrase}${action.benefit === null ? '' : `, so that ${action.benefit}`}.`,
    independent_test: `${action.scenarios === undefined ? test : 'Go through the scenarios below one by one with a fresh account.'} No other story is needed for it.`,
    scenarios: [
      ...(action.scenarios ?? [
        { ...good, when: `they ${phrase}` },
        { ...bad, when: `they try to ${phrase}` },
      ]),
    ],
    requirements: [`${article(action.actor)} MUST be able to ${phrase}.`, `The system ${rule}`],
    success: successOf(phrase, index),
  }
}

const successOf = (phrase: string, index: number): string =>
  [
    `At least 9 of 10 people manage to ${phrase} on their first try, without help, in less than two minutes.`,
    `95 of 100 tries to ${phrase} show their outcome within two seconds.`,
  ][index] ?? `Fewer than 1 in 100 tries to ${phrase} end in an error that the message does not explain.`

function failureStory({ actions, subject }: Description): Story {
  const phrase = actions[0] === undefined ? `use ${subject}` : phraseOf(actions[0])
  return {
    title: 'Understand what went wrong',
    narrative: `Somebody who could not ${phrase} wants to know why and what to do next, without asking anybody.`,
    why: 'Things fail on the first day; a clear answer keeps people going until the rest is there.',
    independent_test: `Make it impossible to ${phrase}, try it, and follow the message: it has to lead to success.`,
    scenarios: [
      {
        given: `it is not possible to ${phrase} right now`,
        when: 'they try all the same',
        outcome: 'one sentence says what is wrong and what to do',
      },
      {
        given: 'the cause is gone',
        when: 'they try again',
        outcome: 'it works, and nothing of the failed try is left behind',
      },
    ],
    requirements: ['The system MUST answer every failed try with one sentence that says what is wrong and what to do.'],
    success: 'At least 8 of 10 people who meet a failure get on without asking for help.',
  }
}

const article = (actor: string): string => `${/^[aeio]/i.test(actor) ? 'An' : 'A'} ${actor}`
