/** Line drawings on a grid of 16 × 16; the text beside an icon names it, so it is silent for screen readers. */
const DRAWINGS = {
  inbox: 'M2 9h3.2l1 2h3.6l1-2H14M2 9l2-6h8l2 6v4.2H2z',
  list: 'M2.5 4h.01M5.5 4h8M2.5 8h.01M5.5 8h8M2.5 12h.01M5.5 12h8',
  feature: 'M8 1.8 14 5v6l-6 3.2L2 11V5zM2 5l6 3.2L14 5M8 8.2v6',
  settings: 'M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M11 2.7v3.6M5 9.7v3.6',
  plus: 'M8 3v10M3 8h10',
  check: 'm3 8.5 3.4 3.3L13 4.8',
  cross: 'm4 4 8 8M12 4l-8 8',
  warning: 'M8 2.2 14.6 13.5H1.4zM8 6.3v3.2M8 11.6v.1',
  eye: 'M1.5 8S4 3.7 8 3.7 14.5 8 14.5 8 12 12.3 8 12.3 1.5 8 1.5 8ZM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6',
  running: 'M8 1.8A6.2 6.2 0 1 1 1.8 8',
  queued: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 4.6V8l2.4 1.5',
  retry: 'M13.6 8a5.6 5.6 0 1 1-1.8-4.1M13.8 1.8v3h-3',
  stop: 'M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3zM5.8 8h4.4',
  comment: 'M2 2.8h12v8.4H7.6L4.6 14v-2.8H2z',
  pen: 'm10.6 2.6 2.8 2.8-8 8-3.6.8.8-3.6zM9 4.2 11.8 7',
  key: 'M6 10.2a3.4 3.4 0 1 1 2.9-1.6l5 4.9M11.4 11l1.4-1.4',
  bell: 'M3 11.5h10c-1-1-1.5-2-1.5-5a3.5 3.5 0 0 0-7 0c0 3-.5 4-1.5 5ZM6.7 13.8h2.6',
  compare: 'M5.5 2.5v11M10.5 2.5v11M2 6h2M2 10h2M12 6h2M12 10h2',
  question:
    'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM6.2 6.3C6.4 5.2 7.1 4.7 8 4.7c1 0 1.8.7 1.8 1.6 0 1.4-1.8 1.5-1.8 2.7M8 11.2v.1',
  file: 'M3.5 1.8h6l3 3v9.4h-9zM9.3 1.8V5h3.2M5.8 8h4.4M5.8 10.8h4.4',
  tool: 'M10 2.2a3.6 3.6 0 0 0-3.4 4.9L2.2 11.5l2.3 2.3 4.4-4.4A3.6 3.6 0 0 0 13.6 5L11.4 7.2 8.8 4.6 11 2.4c-.3-.1-.7-.2-1-.2Z',
  chevron: 'm6 3.5 4.5 4.5L6 12.5',
  arrow: 'M2.5 8h11M9.3 3.8 13.5 8l-4.2 4.2',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M3.2 12.8l1-1M11.8 4.2l1-1',
  moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z',
  screen: 'M1.8 3h12.4v8H1.8zM5.5 13.8h5',
  search: 'M7 2.3a4.7 4.7 0 1 0 0 9.4 4.7 4.7 0 0 0 0-9.4ZM10.5 10.5l3.2 3.2',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  external: 'M6.5 3h-4v10.5H13v-4M9.5 2.5h4v4M13.2 2.8 7.5 8.5',
  keyboard: 'M1.5 3.8h13v8.4h-13zM4 6.6h.01M6.7 6.6h.01M9.3 6.6h.01M12 6.6h.01M4.5 9.6h7',
  person: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 14c.4-2.6 2.5-4 5.2-4s4.8 1.4 5.2 4',
  plan: 'm2 4 1.2 1.2L5.4 3M8 4.2h6M2 10.8 3.2 12l2.2-2.2M8 11h6',
  spark: 'M8 1.8 9.5 6.5 14.2 8 9.5 9.5 8 14.2 6.5 9.5 1.8 8l4.7-1.5z',
} as const

export type IconName = keyof typeof DRAWINGS

export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`size-4 shrink-0 ${className}`}
    >
      <path d={DRAWINGS[name]} />
    </svg>
  )
}
