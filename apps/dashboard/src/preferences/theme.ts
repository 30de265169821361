import { readStored, useStored, writeStored } from './stored-value.ts'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'orchestrator.theme'

const parse = (value: string | null): Theme => (value === 'light' || value === 'dark' ? value : 'system')

/** Puts the chosen theme on the document; `system` follows the operating system. */
export function applyTheme(theme: Theme = parse(readStored(KEY))): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [value] = useStored(KEY)
  const choose = (theme: Theme) => {
    writeStored(KEY, theme === 'system' ? null : theme)
    applyTheme(theme)
  }
  return [parse(value), choose]
}
