import type { ComponentProps } from 'react'

import { Icon, type IconName } from './icon.tsx'

const LOOKS = {
  primary: 'border-transparent bg-solid text-on-solid hover:bg-solid-hover',
  plain: 'border-line-strong/60 bg-surface text-ink shadow-raised hover:bg-hover',
  quiet: 'border-transparent text-soft hover:bg-hover hover:text-ink',
  danger: 'border-transparent bg-failed-solid text-on-solid hover:brightness-110',
  'danger-quiet': 'border-transparent text-failed hover:bg-failed-soft',
} as const

export type ButtonLook = keyof typeof LOOKS

/** The look shared by buttons and links that act like one. At least 32 px high, 36 on touch (WCAG 2.5.8). */
export const buttonClass = (look: ButtonLook = 'plain') =>
  `inline-flex min-h-8 pointer-coarse:min-h-9 items-center justify-center gap-1.5 rounded-lg border px-3 text-base font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55 ${LOOKS[look]}`

interface ButtonProps extends ComponentProps<'button'> {
  look?: ButtonLook
  icon?: IconName
  busy?: boolean
}

export function Button({ look = 'plain', icon, busy = false, className = '', children, ...rest }: ButtonProps) {
  return (
    <button type="button" aria-busy={busy} className={`${buttonClass(look)} ${className}`} {...rest}>
      {busy ? <Icon name="running" className="spin" /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A square button with a drawing only; its name is spoken and shown as a tooltip. */
export function IconButton({ icon, label, className = '', ...rest }: ButtonProps & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-grid size-8 pointer-coarse:size-9 shrink-0 place-items-center rounded-lg text-soft transition-colors hover:bg-hover hover:text-ink ${className}`}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  )
}
