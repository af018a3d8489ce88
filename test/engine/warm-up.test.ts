import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { fastAlone, gather, identityOf, imagesOf, readDigits } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

describe('warming up', () => {
  it('is no traffic: statistics begin with the first request', async () => {
    await using engine = await Engine.start(fastAlone)
    expect(engine.stats().stages.fast).toMatchObject({ batches: 0, rows: 0, busyMs: 0 })
    await engine.infer(imagesOf(readDigits().slice(0, 1)))
    expect(engine.stats().stages.fast).toMatchObject({ batches: 1, rows: 1 })
  })

  it.each([true, false])('changes no answer: %s', async (warmUp) => {
    await using engine = await Engine.start(gather, { warmUp })
    await engine.scale('gather', 3)
    const { square } = await engine.infer({ index: BigInt64Array.of(3n) })
    expect(square.data[0]).toBe(9)
  })

  it('lets a model be whose inputs cannot be made up', async () => {
    await using engine = await Engine.start(identityOf('string'))
    const x = { type: 'string', dims: [1, 4], data: ['a', 'b', 'c', 'd'] } as const
    expect((await engine.infer({ x })).y.data).toEqual(['a', 'b', 'c', 'd'])
  })

  it('is asked for with a boolean', async () => {
    const start = Engine.start(gather, { warmUp: 1 as unknown as boolean })
    expect((await rejectionOf(start)).code).toBe('MILLRACE_INVALID_OPTION')
  })
})
