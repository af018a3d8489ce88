import { type BusyService, threadCounts } from './contention.ts'
import type { StageBench } from './stage-bench.ts'

const rounds = 3
const enoughMs = 80
const leastBatches = 5

/**
 * Service times of batches with 1, 2, … replicas all kept busy, up to twice the cores; round after round, so that what
 * disturbs the machine for a while does not meet one number of threads alone.
 */
export async function measureContention(
  bench: StageBench,
  { batch, serviceMs, cores }: { batch: number; serviceMs: number; cores: number },
): Promise<readonly BusyService[]> {
  const found = threadCounts(cores).map((busyThreads) => {
    return { busyThreads, roundsMs: [] as number[] }
  })
  const forMs = Math.max(enoughMs, leastBatches * serviceMs)
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
