import fc from 'fast-check'

/**
 * Property tests draw the same examples on every machine, so that a change is judged by what it changes and not
 * by the luck of a draw. To explore: `FAST_CHECK_SEED=$RANDOM npm test`; what fails there becomes an example.
 */
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_261_123) })
