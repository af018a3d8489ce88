import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { licencesDocument, runtimeLicences } from '../../scripts/package/licences.mjs'
import { doorsOf, publishedManifest } from '../../scripts/package/manifest.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ours = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

describe('the published manifest', () => {
  const published = publishedManifest(ours)

  it('has nothing that only a checkout needs, no script least of all', () => {
    for (const key of ['scripts', 'devDependencies', 'private', 'napi', 'binary', 'knip']) {
      expect(published).not.toHaveProperty(key)
    }
  })

  it('keeps what users and npm read', () => {
    const { name, version, type, engines, exports, bin, dependencies } = ours
    expect(published).toMatchObject({ name, version, type, engines, exports, bin, dependencies })
  })

  it('opens doors to files, each kind by itself', () => {
    expect(doorsOf(published, 'js')).toEqual(
      expect.arrayContaining(['./dist/index.js', './dist/cli/main.js']),
    )
    expect(doorsOf(published, 'd.ts')).toContain('./dist/index.d.ts')
  })

  it('is not that of the checkout, which npm refuses to publish and which asks for no platform package', () => {
    expect(ours.private).toBe(true)
    expect(ours).not.toHaveProperty('optionalDependencies')
  })
})

describe('the list of licences', () => {
  const packages = runtimeLicences(root)

  it('has every package that an installation brings along, with its licence', () => {
    const names = packages.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(Object.keys(ours.dependencies)))
    expect(packages.filter(({ licence }) => licence === 'unknown')).toEqual([])
  })

  it('has no package that only development needs', () => {
    expect(packages.map(({ name }) => name)).not.toContain('vitest')
  })

  it('holds the texts of the licences', () => {
    const document = licencesDocument(packages)
    for (const { name, version, licence } of packages) {
      expect(document).toContain(`| ${name} | ${version} | ${licence} |`)
    }
    expect(document).toContain('Permission is hereby granted')
    expect(document).toContain('GCC Runtime Library Exception')
  })
})
