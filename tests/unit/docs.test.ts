import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })

/** As GitHub makes anchors of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

const linksOf = (page: string) =>
  [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link))

/** The variables of a service, as its schema has them. */
const variablesOf = (config: string) =>
  [...read(config).matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name = '']) => name)

describe('the documents', () => {
  it('are there', () => {
    expect(pages).toEqual(
      expect.arrayContaining([
        'README.md',
        'ARCHITECTURE.md',
        'docs/services/orchestrator.md',
        'docs/services/agent-hub.md',
        'docs/reference/api-contracts.md',
        'docs/user-journeys/SVC-001-orchestrator-workflow.md',
      ]),
    )
  })

  it.each(pages)('%s links to what exists', (page) => {
    const broken = linksOf(page).filter((link) => {
      const [path = '', anchor = ''] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      return !existsSync(join(root, target)) || (anchor !== '' && !anchorsOf(read(target)).includes(anchor))
    })
    expect(broken).toEqual([])
  })

  it.each(pages)('%s names npm scripts that exist', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...read(page).matchAll(/npm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
      ([, run, short]) => run ?? short ?? '',
    )
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  it('list every variable that the services read', () => {
    const variables = ['services/orchestrator/src/config.ts', 'services/agent-hub/src/config.ts'].flatMap(variablesOf)
    expect(variables.length).toBeGreaterThan(20)
    expect(variables.filter((name) => !read('README.md').includes(`\`${name}\``))).toEqual([])
  })

  it('list every error code', () => {
    const contract = read('packages/contract/src/errors.ts')
    const codes = [...contract.matchAll(/^ {2}'([A-Z_]+)',$/gm)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(20)
    expect(codes.filter((code) => !read('docs/reference/api-contracts.md').includes(`\`${code}\``))).toEqual([])
  })

  it('list every route of both services', () => {
    const sources = globSync('services/*/src/api/*.ts', { cwd: root }).map(read).join('\n')
    const routes = [...sources.matchAll(/app\.(?:get|post|put|delete)\(\s*'(\/[^']*)'/g)]
      .map(([, path = '']) => path.replaceAll(/:(\w+)/g, '{$1}'))
      .filter((path) => !path.startsWith('/assets'))
    const text = read('docs/reference/api-contracts.md') + read('docs/services/agent-hub.md')
    expect(routes.length).toBeGreaterThan(20)
    expect(routes.filter((path) => !text.includes(` ${path}\``))).toEqual([])
  })
})
