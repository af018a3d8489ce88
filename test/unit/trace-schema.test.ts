import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Trace } from '../../src/workload/trace.ts'

const schema = JSON.parse(
  await readFile(new URL('../../profiles/trace.schema.json', import.meta.url), 'utf8'),
) as object
const valid = new Ajv2020({ strict: true }).compile(schema)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-trace-schema-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the schema of traces', () => {
  it.each([
    ['generated', Trace.gamma({ ratePerS: 100, cv2: 4, durationMs: 5_000 })],
    ['shaped', Trace.shaped({ shape: 'ramp', ratePerS: 100, durationMs: 5_000 })],
    ['cut', Trace.gamma({ ratePerS: 100, durationMs: 5_000 }).slice(1_000).atRate(5)],
    ['your own', new Trace({ arrivalsMs: [0, 1.5] })],
  ])('holds for what is saved: %s', async (_what, trace) => {
    const path = join(folder, 'trace.json')
    await trace.save(path)
    expect(valid(JSON.parse(await readFile(path, 'utf8')))).toBe(true)
  })

  it.each([
    { version: 2, arrivalsMs: [1] },
    { version: 1, arrivalsMs: [] },
    { version: 1, arrivalsMs: [-1] },
    { version: 1, arrivalsMs: [null] },
    { version: 1, arrivalsMs: [1], more: 1 },
    { version: 1, arrivalsMs: [1], meta: [] },
    { version: 1, arrivalsMs: [1], meta: { durationMs: -1 } },
    { arrivalsMs: [1] },
    { version: 1 },
    [1],
  ])('does not hold for %j', (document) => {
    expect(valid(document)).toBe(false)
  })
})
