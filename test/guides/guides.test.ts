// Every guide of docs/guides, followed: its files written, its programs and commands run, what they print compared.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { followGuide } from './follow-guide.ts'
import { type Guide, readGuide } from './read-guide.ts'
import type { Workspace } from './workspace.ts'

const folder = fileURLToPath(new URL('../../docs/guides', import.meta.url))
const read = (name: string) => readGuide(readFileSync(join(folder, `${name}.md`), 'utf8'))

/** In the order in which they are to be read. */
const names = read('README').links.flatMap((link) => /^([\w-]+)\.md$/.exec(link)?.[1] ?? [])
const guides = new Map<string, Guide>(names.map((name) => [name, read(name)]))
/** Lines of text and code that somebody reads in one go. */
const longest = 160
const followed = new Map<string, Promise<Workspace>>()

afterAll(async () => {
  for (const workspace of await Promise.allSettled(followed.values())) {
    if (workspace.status === 'fulfilled') await workspace.value[Symbol.asyncDispose]()
  }
})

/** Once, also where others go on from it. */
function follow(name: string): Promise<Workspace> {
  const guide = guides.get(name)
  if (guide === undefined) throw new Error(`docs/guides/README.md lists no ${name}.md`)
  const { goesOnFrom } = guide
  const following =
    followed.get(name) ??
    (goesOnFrom === undefined ? Promise.resolve(undefined) : follow(goesOnFrom)).then((before) =>
      followGuide(guide, before),
    )
  followed.set(name, following)
  return following
}

describe('the index of the guides', () => {
  it('lists them all', () => {
    const files = readdirSync(folder).filter((file) => file !== 'README.md')
    expect([...names].sort()).toEqual(files.map((file) => file.replace(/\.md$/, '')).sort())
  })
})

describe.each(names)('the guide %s', (name) => {
  const guide = guides.get(name) as Guide

  it('has a title, the length of a guide, and links that lead somewhere', () => {
    expect(guide.title).not.toBe('')
    expect(guide.lines).toBeLessThanOrEqual(longest)
    expect(guide.links.filter((link) => !existsSync(join(folder, link)))).toEqual([])
  })

  it('does what it says', { timeout: 120_000 }, async () => {
    await follow(name)
  })
})
