/** The keys of a shortcut, such as `g i`. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-1 pointer-coarse:hidden">
      {keys.split(' ').map((key) => (
        <kbd
          key={key}
          className="inline-grid min-w-5 place-items-center rounded-[5px] border border-line bg-sunken px-1 font-mono text-xs text-soft"
        >
          {key}
        </kbd>
      ))}
    </span>
  )
}
