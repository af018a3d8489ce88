import type { BusyService } from './contention.ts'
import type { StageBench } from './stage-bench.ts'

const rounds = 3
const enoughMs = 80
const leastBatches = 5

/**
 * Service times of batches with so many replicas all kept busy; round after round, so that what
 * disturbs the machine for a while does not meet one number of threads alone.
 */
export async function measureContention(
  bench: StageBench,
  given: {
    readonly batch: number
    readonly serviceMs: number
    /** Of threads, or of replicas of a device. */
    readonly counts: readonly number[]
    readonly maxPointMs: number
  },
): Promise<readonly BusyService[]> {
  const { batch, serviceMs, counts, maxPointMs } = given
  const found = counts.map((busyThreads) => {
    return { busyThreads, roundsMs: [] as number[] }
  })
  const forMs = Math.max(Math.min(enoughMs, maxPointMs / rounds), leastBatches * serviceMs)
  for (let round = 0; round < rounds; round++) {
    for (const { busyThreads, roundsMs } of found) {
      await bench.setUp(batch, busyThreads)
      await bench.keepBusy(busyThreads)
      const { meanMs } = await bench.saturate(forMs)
      roundsMs.push(meanMs)
    }
  }
  return found
}
