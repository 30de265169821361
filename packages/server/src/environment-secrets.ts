const SECRET_NAME = /(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|_KEY|_AUTH)$/i
const PASSWORD_IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*:([^/?#\s@]+)@/i
/** What is shorter stands in ordinary text too, and is no secret that would last. */
const LENGTH_MIN = 12

/** What may never be told, by the variable that holds it: values of secrets, and passwords within URLs. */
export function listSecrets(env: NodeJS.ProcessEnv): Record<string, string> {
  const found = Object.entries(env).flatMap(([name, value = '']): [string, string][] => {
    const password = PASSWORD_IN_URL.exec(value)?.[1]
    if (password !== undefined) return [[name, decoded(password)]]
    return SECRET_NAME.test(name) ? [[name, value]] : []
  })
  return Object.fromEntries(found.filter(([, value]) => value.length >= LENGTH_MIN))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
