import { Button } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'

/** Marks the whole file as read, or not. */
export function ViewedButton({ viewed, onMark }: { viewed: boolean; onMark: (viewed: boolean) => void }) {
  return (
    <Button
      look="quiet"
      className="min-h-7 px-2 text-sm aria-pressed:text-done"
      aria-pressed={viewed}
      onClick={() => onMark(!viewed)}
    >
      <Icon name={viewed ? 'check' : 'eye'} className="size-3.5" />
      Viewed
    </Button>
  )
}
