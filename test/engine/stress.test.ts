import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { knownLabels, randomFrom, scaleAtRandom, storm } from '../stress/requests.ts'
import { cascade } from './pipelines.ts'

describe('fifty thousand requests', () => {
  it('settle once each, with the right answer or the right error, while stages are scaled', async () => {
    const labels = await knownLabels()
    const engine = await Engine.start(cascade, { maxPendingRows: 6000 })
    const stopScaling = scaleAtRandom(engine, randomFrom(2))
    const keepServing = setInterval(() => {}, 5)
    const tally = storm(engine, { requests: 50_000, random: randomFrom(1), labels })
    const patience = setTimeout(() => void stopScaling(), 3000)
    const { completed, refused } = await tally
    clearTimeout(patience)
    clearInterval(keepServing)
    await stopScaling()
    expect(completed).toBeGreaterThan(30_000)
    expect(refused['MILLRACE_CANCELLED']).toBeGreaterThan(1000)
    expect(refused['MILLRACE_DEADLINE_EXCEEDED']).toBeGreaterThan(1000)
    const stats = engine.stats()
    expect(stats.requests.completed).toBe(completed)
    expect(stats.pendingRequests).toBe(0)
    await engine.close()
    expect(engine.stats().pendingRows).toBe(0)
  })
})
