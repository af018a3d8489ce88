import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { paperProfiles } from '../../scripts/paper-profiles.mjs'
import { checkJson } from '../../src/json/check-json.ts'
import { formatJson } from '../../src/json/format-json.ts'
import type { Profile } from '../../src/profile/profile.ts'
import { defaultHardware } from '../../src/profile/read-hardware.ts'
import { readProfile } from '../../src/profile/read-profile.ts'

const folder = fileURLToPath(new URL('../../profiles/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const schemas = files.filter((name) => name.endsWith('.schema.json'))
const paper = [...paperProfiles().keys()]
const text = (name: string) => readFileSync(`${folder}${name}`, 'utf8')

const tiersOf = (profile: Profile) =>
  Object.values(profile.stages).flatMap(({ tiers }) => Object.entries(tiers ?? {}))

describe('the profiles of the paper', () => {
  it('are those of its four pipelines', () => {
    expect(paper).toEqual([
      'image-processing.json',
      'video-monitoring.json',
      'social-media.json',
      'tf-cascade.json',
    ])
  })

  it.each(paper)('%s is what its script makes', (name) => {
    expect(text(name)).toBe(formatJson(paperProfiles().get(name)))
  })

  it.each(paper)('%s is a profile, of its own name, on tiers that have a price', async (name) => {
    const profile = await readProfile(`${folder}${name}`)
    const { tiers } = await defaultHardware()
    expect(`${profile.pipeline}.json`).toBe(name)
    for (const [tier] of tiersOf(profile)) expect(tiers).toHaveProperty(tier)
  })

  it.each(paper)('%s has scale factors that its paths add up to', async (name) => {
    const { stages, paths = [] } = await readProfile(`${folder}${name}`)
    for (const [stage, { scaleFactor }] of Object.entries(stages)) {
      const visited = paths.filter(({ visits }) => visits?.includes(stage))
      expect(visited.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(scaleFactor, 9)
    }
    expect(paths.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9)
  })

  it.each(paper)('%s says where its numbers come from', async (name) => {
    expect((await readProfile(`${folder}${name}`)).source).toContain('InferLine')
  })

  it('have the service times of the published throughput', async () => {
    const { stages } = await readProfile(`${folder}image-processing.json`)
    const means = stages['resnet152']?.tiers?.['k80']?.points.map(({ meanMs }) => meanMs)
    expect(means?.map(Math.round)).toEqual([34, 42, 73, 106, 133, 157])
  })

  it('meet 150 ms alone on GPUs, each in its own way', async () => {
    const alone = async (name: string, ...visits: string[]) => {
      const { stages } = await readProfile(`${folder}${name}.json`)
      const tiers = visits.map((stage) => stages[stage]?.tiers ?? {})
      return tiers
        .map((tier) => (tier['k80'] ?? tier['cpu-1'])?.points[0]?.meanMs ?? Number.NaN)
        .reduce((sum, meanMs) => sum + meanMs, 0)
    }
    expect(await alone('image-processing', 'preprocess', 'resnet152')).toBeLessThan(150)
    expect(await alone('video-monitoring', 'detector', 'vehicle')).toBeLessThan(150)
    expect(await alone('social-media', 'language', 'translation')).toBeLessThan(150)
    expect(await alone('tf-cascade', 'fast', 'slow')).toBeLessThan(150)
  })
})

interface Described {
  readonly title?: string
  readonly description?: string
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Described>>
  readonly $defs?: Readonly<Record<string, Described>>
  readonly items?: Described
  readonly additionalProperties?: Described | boolean
}

/** Places in a schema that do not say what they hold. */
function silent(schema: Described, place: string): readonly string[] {
  if (schema.$ref !== undefined) return []
  const parts = [
    ...Object.entries(schema.properties ?? {}),
    ...Object.entries(schema.$defs ?? {}),
    ...Object.entries({ items: schema.items, values: schema.additionalProperties }),
  ]
  const inside = parts.flatMap(([key, part]) =>
    typeof part === 'object' ? silent(part, `${place}.${key}`) : [],
  )
  return schema.title && schema.description ? inside : [place, ...inside]
}

/** The names of all properties in a schema. */
function keysOf(schema: Described): readonly string[] {
  const { properties = {}, $defs = {}, items, additionalProperties } = schema
  const parts = [...Object.values(properties), ...Object.values($defs), items, additionalProperties]
  const inside = parts.flatMap((part) => (typeof part === 'object' ? keysOf(part) : []))
  return [...Object.keys(properties), ...inside]
}

describe('the published schemas', () => {
  it.each(schemas)('%s has no key that profiles/README.md does not explain', (name) => {
    const explained = new Set(text('README.md').match(/\w+/g))
    const keys = keysOf(JSON.parse(text(name)) as Described)
    expect(keys.filter((key) => key !== '$schema' && !explained.has(key))).toEqual([])
  })

  it.each(schemas)('%s says of every property what it is', (name) => {
    expect(silent(JSON.parse(text(name)) as Described, name)).toEqual([])
  })

  it.each(['profile', 'hardware', 'plan', 'estimate'] as const)(
    '%s is one that ajv takes',
    (schema) => {
      expect(() => checkJson(undefined, { schema, where: 'x', fix: 'y' })).toThrow(
        'x: expected an object, got undefined; y',
      )
    },
  )

  it.each(files.filter((name) => !schemas.includes(name)))('%s names its own', (name) => {
    const { $schema } = JSON.parse(text(name)) as { readonly $schema?: string }
    expect($schema === undefined || schemas.includes($schema.replace('./', ''))).toBe(true)
  })
})
