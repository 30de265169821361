// Escape sequences (CSI, OSC, two-character ones), then every control character but tab and line feed.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g

/** What an agent wrote, without what could steer a terminal or a log. */
export function stripControls(text: string): string {
  return text.replace(ESCAPES, '').replace(CONTROLS, '')
}

/** The last `limit` characters of everything that was appended: an agent may write without end. */
export interface TextTail {
  append(text: string): void
  /** Empties it. */
  clear(): void
  readonly text: string
}

export function createTextTail(limit: number): TextTail {
  let parts: string[] = []
  let length = 0
  const join = (): string => {
    const text = parts.join('').slice(-limit)
    parts = text === '' ? [] : [text]
    length = text.length
    return text
  }
  return {
    append(text) {
      parts.push(text)
      length += text.length
      // Joined only when twice over, so that many small pieces cost linear time.
      if (length > limit * 2) join()
    },
    clear() {
      parts = []
      length = 0
    },
    get text() {
      return join()
    },
  }
}
