import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { readWorkspacesFile } from '../../src/workspaces-file.ts'
import { makeRepository, temporaryFolder } from '../git-fixture.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
  makeRepository(join(folder.path, 'shop'))
  mkdirSync(join(folder.path, 'empty'))
})
afterEach(async () => folder.remove())

const write = (text: string) => writeFileSync(join(folder.path, 'workspaces.yaml'), text)
const read = async () => readWorkspacesFile(undefined, folder.path)

it('is none where there is none', async () => {
  expect(await read()).toEqual([])
})

it('names repositories by path, from its own folder, and by URL', async () => {
  write('workspaces:\n  - name: shop\n    path: shop\n  - name: site\n    url: https://git.example/site.git\n')
  expect(await read()).toEqual([
    { name: 'shop', path: join(folder.path, 'shop') },
    { name: 'site', url: 'https://git.example/site.git' },
  ])
})

it.each([
  ['workspaces: 1', 'workspaces must be of type array'],
  ['workspaces:\n  - name: shop', 'workspaces[0] must have either a path or a url'],
  ['workspaces:\n  - {name: shop, path: shop, url: "https://a.example/x"}', 'must have either a path or a url'],
  ['workspaces:\n  - {name: default, path: shop}', 'workspaces[0].name is taken by WORKSPACE'],
  ['workspaces:\n  - {name: a/b, path: shop}', 'workspaces[0].name must begin'],
  ['workspaces:\n  - {name: a, path: shop}\n  - {name: a, path: shop}', 'must not name a workspace twice'],
  ['workspaces:\n  - {name: a, branch: x, path: shop}', 'workspaces[0].branch is not a known field'],
  ['workspaces:\n  - {name: a, path: nowhere}', 'workspace "a" names'],
  ['workspaces:\n  - {name: a, path: empty}', 'which is not the top of a git repository'],
  ['workspaces:\n  - {name: a, url: "http://a.example/x"}', 'only file, https and ssh'],
  ['workspaces:\n  - {name: a, url: "https://u:secret@a.example/x"}', 'HUB_CREDENTIAL_HELPER'],
  ['workspaces: [', 'this is no YAML'],
])('%j is refused in one line that names the field', async (text, reason) => {
  write(text)
  const refusal = await read().catch((error: unknown) => error)
  expect(refusal).toMatchObject({ name: 'StartupError', message: expect.stringContaining(reason) })
  expect((refusal as Error).message).toMatch(/^\S*workspaces\.yaml[^\n]*$/)
  expect((refusal as Error).message).not.toContain('secret')
})

it('says which file cannot be read when somebody named it', async () => {
  await expect(readWorkspacesFile(join(folder.path, 'no.yaml'), folder.path)).rejects.toThrow(/^WORKSPACES_FILE: /)
})
