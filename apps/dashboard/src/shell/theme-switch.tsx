import { Icon, type IconName } from '../components/icon.tsx'
import { useTheme, type Theme } from '../preferences/theme.ts'

const CHOICES: readonly { theme: Theme; label: string; icon: IconName }[] = [
  { theme: 'system', label: 'Theme of the system', icon: 'screen' },
  { theme: 'light', label: 'Light', icon: 'sun' },
  { theme: 'dark', label: 'Dark', icon: 'moon' },
]

export function ThemeSwitch() {
  const [theme, choose] = useTheme()
  return (
    <div role="group" aria-label="Theme" className="inline-flex rounded-lg bg-sunken p-0.5">
      {CHOICES.map((choice) => (
        <button
          key={choice.theme}
          type="button"
          aria-label={choice.label}
          aria-pressed={theme === choice.theme}
          title={choice.label}
          onClick={() => choose(choice.theme)}
          className="grid size-7 place-items-center rounded-md text-faint aria-pressed:bg-raised aria-pressed:text-ink aria-pressed:shadow-raised"
        >
          <Icon name={choice.icon} />
        </button>
      ))}
    </div>
  )
}
