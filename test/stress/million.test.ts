import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { cascade } from '../engine/pipelines.ts'
import { knownLabels, randomFrom, scaleAtRandom, storm } from './requests.ts'

const rounds = 10
const roundRequests = 100_000

describe('a million requests', () => {
  it('settle once each, and the memory of the process stays flat', async () => {
    const labels = await knownLabels()
    const residentMiB: number[] = []
    const random = randomFrom(7)
    const engine = await Engine.start(cascade, { maxPendingRows: 6000 })
    for (let round = 1; round <= rounds; round++) {
      const stopScaling = scaleAtRandom(engine, randomFrom(round))
      const requests = storm(engine, { requests: roundRequests, random, labels })
      if (round === rounds) {
        setTimeout(() => void stopScaling().then(() => engine.close({ timeoutMs: 0 })), 300)
      }
      const { completed, refused } = await requests
      await stopScaling()
      const total = Object.values(refused).reduce((sum, count) => sum + count, completed)
      expect(total).toBe(roundRequests)
      residentMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20))
      console.log(
        `round ${round}: ${completed} answered, ${JSON.stringify(refused)}, ${residentMiB.at(-1)} MiB`,
      )
    }
    await engine.close()
    expect(engine.stats().pendingRequests).toBe(0)
    const [, , early = 0] = residentMiB
    expect(Math.max(...residentMiB.slice(3))).toBeLessThan(early * 1.25 + 20)
  })
})
