import type { WorkingCopy } from '../core/ports.ts'
import type { Command } from './command.ts'

const SIZE_LIMIT_BYTES = 200_000

/** Where the integrations of Spec Kit lay their command files, the most used first. Bodies are the same. */
const placesOf = (command: Command): string[] => [
  `.claude/skills/speckit-${command}/SKILL.md`,
  `.claude/commands/speckit.${command}.md`,
  `.agents/skills/speckit-${command}/SKILL.md`,
  `.github/skills/speckit-${command}/SKILL.md`,
  `.github/agents/speckit.${command}.agent.md`,
  `.gemini/commands/speckit.${command}.toml`,
  `.opencode/commands/speckit.${command}.md`,
  `.qwen/commands/speckit.${command}.md`,
  `.cursor/skills/speckit-${command}/SKILL.md`,
  `.kiro/prompts/speckit.${command}.md`,
]

/** The project's own command with the user's text in place; undefined where the project has none that can be read. */
export async function findInstalledCommand(
  working_copy: WorkingCopy,
  command: Command,
  user_text: string,
): Promise<{ path: string; text: string } | undefined> {
  const places = placesOf(command)
  const found = await Promise.all(places.map(async (path) => working_copy.readFile(path).catch(() => undefined)))
  for (const [at, path] of places.entries()) {
    const bytes = found[at]
    if (bytes === undefined || bytes.byteLength > SIZE_LIMIT_BYTES) continue
    const text = expandCommand(path, new TextDecoder().decode(bytes), user_text)
    if (text !== undefined) return { path, text }
  }
  return undefined
}

/**
 * Front matter dropped, placeholders replaced in one pass: what the user's text itself holds (`$&`,
 * `$ARGUMENTS`, `{{args}}`) stays as it is. A file without a placeholder gets the text at its end.
 */
export function expandCommand(path: string, content: string, user_text: string): string | undefined {
  const body = (path.endsWith('.toml') ? tomlPrompt(content) : withoutFrontMatter(content))?.trim()
  if (body === undefined || body === '') return undefined
  const expanded = body.replace(/\$ARGUMENTS|\{\{args\}\}/g, () => user_text)
  return expanded === body ? `${body}\n\n${user_text}` : expanded
}

function withoutFrontMatter(content: string): string {
  const text = content.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  if (!text.startsWith('---\n')) return text
  const end = text.indexOf('\n---', 3)
  if (end === -1) return text
  const next_line = text.indexOf('\n', end + 1)
  return next_line === -1 ? '' : text.slice(next_line + 1)
}

/** `prompt = """…"""` (escapes resolved) or `'''…'''` (as it stands) of a Gemini command. */
function tomlPrompt(content: string): string | undefined {
  const start = /^prompt[ \t]*=[ \t]*("""|''')\r?\n?/m.exec(content)
  const quotes = start?.[1]
  if (start === null || quotes === undefined) return undefined
  const from = start.index + start[0].length
  const end = content.indexOf(quotes, from)
  if (end === -1) return undefined
  const raw = content.slice(from, end)
  return quotes === "'''"
    ? raw
    : raw.replace(/\\(?:\r?\n\s*|(["\\nt]))/g, (_, escaped: string | undefined) => ESCAPES[escaped ?? ''] ?? '')
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t' }
