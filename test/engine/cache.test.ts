// A stage that shares its results, with a real model, through the core's own interface.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { availableCores } from '../../src/engine/cores.ts'
import { loadModels } from '../../src/engine/models.ts'
import { toNativeSpec } from '../../src/engine/native-spec.ts'
import { PendingRequests } from '../../src/engine/pending-requests.ts'
import { ResultReader } from '../../src/engine/result-reader.ts'
import type { NativeEngine, Submit } from '../../src/native/addon.ts'
import { loadAddon } from '../../src/native/load.ts'
import { bindPipeline } from '../../src/pipeline/bind.ts'
import { resolveConfiguration } from '../../src/pipeline/configuration.ts'
import { accurateAlone, imagesOf, readDigits } from './pipelines.ts'

const digits = readDigits().slice(0, 40)

/** The accurate model with room for results. */
async function startCached(): Promise<{ native: NativeEngine; infer: () => Promise<unknown> }> {
  const configuration = resolveConfiguration(accurateAlone, {
    configuration: {},
    cores: availableCores(),
  })
  const models = await loadModels(accurateAlone, configuration)
  const plain = bindPipeline(accurateAlone, models)
  const cache = { maxBytes: 1 << 20, ttlMs: Number.POSITIVE_INFINITY }
  const bound = { ...plain, stages: plain.stages.map((stage) => ({ ...stage, cache })) }
  const given = { models, configuration, maxPendingRows: 256, shed: true }
  const native = await loadAddon().createEngine(toNativeSpec(bound, given))
  const pending = new PendingRequests()
  const reader = new ResultReader(bound, pending)
  const submit: Submit = native.attach({
    heads: reader.heads,
    payload: reader.payload,
    openDims: new ArrayBuffer(0),
    onSettled: reader.onSettled,
  })
  const { data } = imagesOf(digits).image
  const infer = () => pending.add(submit(digits.length, 1, Number.POSITIVE_INFINITY, data))
  return { native, infer }
}

describe('a stage with a cache', () => {
  let started: Awaited<ReturnType<typeof startCached>>
  beforeAll(async () => {
    started = await startCached()
  })
  afterAll(() => started.native.stop())

  it('answers equal rows with what it computed once, exactly', async () => {
    const { native, infer } = started
    const [first, second] = await Promise.all([infer(), infer()])
    const third = await infer()
    expect(second).toEqual(first)
    expect(third).toEqual(first)
    const { rows, cache } = native.stats().stages['accurate'] ?? {}
    expect(rows).toBe(digits.length)
    expect(cache?.missedRows).toBe(digits.length)
    expect((cache?.hitRows ?? 0) + (cache?.sharedRows ?? 0)).toBe(2 * digits.length)
    expect(cache?.entries).toBe(digits.length)
    expect(cache?.bytes).toBeGreaterThan(digits.length * 64 * 4)
  })
})
