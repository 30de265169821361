import { FILE_LIMIT_BYTES, isDocument } from './phase-files.ts'
import { error, warning, type Rule } from './rule.ts'

const REASONS = {
  outside: 'leads out of the working copy',
  too_large: `is larger than ${FILE_LIMIT_BYTES / 1_000_000} MB`,
  not_utf8: 'is not UTF-8 text',
} as const

/** Shapes that keys and tokens have; each is anchored by a prefix, so that the search is linear. */
const SECRETS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})/],
  ['a Slack token', /\bxox[abprs]-[A-Za-z0-9-]{10}/],
  ['a Google API key', /\bAIza[0-9A-Za-z_-]{35}/],
  ['an API key', /\bsk-(?:ant-|proj-|live-)?[A-Za-z0-9_-]{24}/],
  ['a password in an address', /\b[a-z]{2,12}:\/\/[^\s:/@]{1,80}:[^\s:/@]{6,80}@/],
]

/**
 * Files by which tools of developers, agents and builds run commands or take orders, as soon as somebody opens or
 * checks out the branch: harmless here, where nothing of them is read.
 */
const ACTING: readonly RegExp[] = [
  /(^|\/)\.(claude|codex|gemini|qwen|cursor|opencode|husky|vscode|idea|devcontainer|githooks)\//,
  /(^|\/)\.github\/(workflows|actions|copilot-instructions\.md)/,
  /(^|\/)\.?mcp\.json$/,
  /(^|\/)opencode\.jsonc?$/,
  /(^|\/)(CLAUDE|AGENTS|GEMINI|QWEN)\.md$/,
  /(^|\/)\.(gitattributes|gitmodules|envrc|npmrc|yarnrc(\.yml)?|cursorrules|pre-commit-config\.yaml|gitlab-ci\.yml)$/,
  /(^|\/)agents\.yaml$/,
]

export const EVERY_PHASE_RULES: readonly Rule[] = [
  {
    id: 'files-inside',
    holds: 'Nothing leads out of the working copy.',
    find: (files) =>
      [...files.unreadable]
        .filter(([, reason]) => reason === 'outside')
        .map(([path, reason]) => error(`This file ${REASONS[reason]}.`, path)),
  },
  {
    id: 'files-readable',
    holds: 'Every document is UTF-8 text of sensible size.',
    find: (files) =>
      [...files.unreadable]
        .filter(([path, reason]) => reason === 'too_large' || (reason === 'not_utf8' && isDocument(path)))
        .map(([path, reason]) => error(`This file ${REASONS[reason]}.`, path)),
  },
  {
    id: 'files-that-act',
    holds: 'No file makes tools act by themselves.',
    find: (files) =>
      files.changes
        .filter(({ path, change }) => change !== 'deleted' && ACTING.some((pattern) => pattern.test(path)))
        .map(({ path, change }) =>
          warning(`This file was ${change}, and tools obey it wherever the branch is opened: read it with care.`, path),
        ),
  },
  {
    id: 'files-no-secret',
    holds: 'Nothing looks like a secret.',
    find: (files) =>
      files.changes.flatMap(({ path }) =>
        (files.texts.get(path) ?? '').split('\n').flatMap((line, index) => {
          const kind = SECRETS.find(([, pattern]) => pattern.test(line.slice(0, 20_000)))?.[0]
          return kind === undefined ? [] : [warning(`This looks like ${kind}.`, path, index + 1)]
        }),
      ),
  },
]

/** For the phases that write documents only. */
export const DOCUMENTS_ONLY: Rule = {
  id: 'files-in-feature',
  holds: 'Only documents of the feature were changed.',
  find: (files) =>
    files.changes
      .filter(({ path }) => !path.startsWith(`${files.feature_directory}/`) && !path.startsWith('.specify/'))
      .map(({ path, change }) => warning(`A file outside the feature’s folder was ${change}.`, path)),
}
