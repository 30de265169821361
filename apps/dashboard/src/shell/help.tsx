import { Keys } from '../components/keys.tsx'
import { Modal } from '../components/modal.tsx'
import { listShortcuts } from '../keyboard/shortcuts.ts'

/** The shortcuts that work on the screen below. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Keyboard shortcuts" onClose={onClose}>
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-2">
        {listShortcuts().map((shortcut) => (
          <div key={shortcut.keys} className="contents">
            <dt>{shortcut.does}</dt>
            <dd className="text-right">
              <Keys keys={shortcut.keys} />
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
