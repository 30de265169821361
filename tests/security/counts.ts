/** `npm run test:security` runs every case of the scoreboard, `npm test` a share of them. */
export const IS_WHOLE = process.env['SECURITY_TESTS'] === 'whole'

/** How many cases, or how much patience: the figure of the scoreboard where it is measured whole. */
export const figure = (share: number, whole: number): number => (IS_WHOLE ? whole : share)
