import { askService, type Outputs, type ServiceFlags } from './ask-service.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'

export interface EraseFlags extends ServiceFlags {
  yes: boolean
}

/** What a person wrote is gone for good, so that nobody does it by a slip. */
export function eraseWords(name: string, { yes, ...flags }: EraseFlags, outputs: Outputs): Promise<ExitCode> {
  if (!yes) {
    outputs.error.write(
      withoutControls(`This erases what ${name} wrote, for good; backups and exports keep it. Add --yes to do it.`) +
        '\n',
    )
    return Promise.resolve(EXIT.usage)
  }
  return askService(
    flags,
    outputs,
    (client) => client.eraseWords({ name }),
    ({ pseudonym, history_rows, comments, answers }) =>
      `Erased: words of ${history_rows} rows of the history, ${comments} comments, ${answers} answers. Where the name stood outside of the chain stands ${pseudonym}.\n`,
  )
}
