/** Longer ones are the date prefixes that some tools give branches, and would use the numbers up. */
const DIGITS_MAX = 6

/** The number of `NNN-slug`, or undefined when the name is no feature's. */
export function featureNumber(name: string): number | undefined {
  const digits = /^(\d{3,})-[a-z0-9-]+$/.exec(name)?.[1]
  return digits === undefined || digits.length > DIGITS_MAX ? undefined : Number(digits)
}

export function highestNumber(names: Iterable<string>): number {
  let highest = 0
  for (const name of names) highest = Math.max(highest, featureNumber(name) ?? 0)
  return highest
}

/** Another feature that has the same number, when there is one. */
export function findNumberHolder(feature_id: string, names: Iterable<string>): string | undefined {
  const number = featureNumber(feature_id)
  if (number === undefined) return undefined
  for (const name of names) if (name !== feature_id && featureNumber(name) === number) return name
  return undefined
}

/** The same slug under another number, at least three digits. */
export function renumber(feature_id: string, number: number): string {
  return feature_id.replace(/^\d+/, String(number).padStart(3, '0'))
}
