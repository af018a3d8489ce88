import { median, round } from './points.ts'
import type { StageBench } from './stage-bench.ts'

const mostPairs = 40
const leastPairs = 5
/** Batches, one at once after the other, of which the last is not disturbed any more by what the first found cold. */
const warmRuns = 3

/**
 * How much longer a batch of one row takes on a replica that has rested: medians of batches that follow each other at once
 * and of batches after a rest, in turn, so that what disturbs the machine meets both.
 */
export async function measureWake(
  bench: StageBench,
  { maxPointMs }: { readonly maxPointMs: number },
): Promise<number> {
  await bench.setUp(1)
  const warmMs: number[] = []
  const restedMs: number[] = []
  const beganMs = performance.now()
  for (let pair = 0; pair < mostPairs; pair++) {
    if (pair >= leastPairs && performance.now() - beganMs > maxPointMs) break
    let lastMs = 0
    for (let run = 0; run < warmRuns; run++) lastMs = (await bench.run())?.serviceMs ?? lastMs
    warmMs.push(lastMs)
    restedMs.push((await bench.runRested(lastMs))?.serviceMs ?? lastMs)
  }
  return round(Math.max(0, median(restedMs) - median(warmMs)))
}
