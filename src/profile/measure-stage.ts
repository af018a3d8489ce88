import { MillraceError } from '../errors.ts'
import { isAccelerator } from '../pipeline/tier.ts'
import { type MeasuredBatch, paysOff } from './points.ts'

/** How much is measured of each batch size. */
export interface MeasureLimits {
  /** Largest batch on the CPU, and on an accelerator, where it takes more rows to keep it busy. */
  readonly maxBatch: number
  readonly maxAcceleratorBatch: number
  readonly minRuns: number
  readonly maxPointMs: number
}

/** What is measured: all that is asked of a stage alone. */
export interface Measured {
  setUp(batch: number): Promise<void>
  /** One batch; undefined where the rows did not make one. */
  run(): Promise<{ readonly serviceMs: number } | undefined>
}

/** Blocks of runs of each size, apart in time. */
export const blocksPerBatch = 5

const mostRunsPerBlock = 200
const enoughMs = 60
const warmUp = { leastRuns: 2, mostRuns: 100, enoughMs: 20 }
const firstWarmUp = { leastRuns: 3, mostRuns: 1000, enoughMs: 150 }

/** The largest batch to measure on a tier. Pure. */
export function largestOn(
  tier: string,
  limits: Pick<MeasureLimits, 'maxBatch' | 'maxAcceleratorBatch'>,
): number {
  return isAccelerator(tier) ? limits.maxAcceleratorBatch : limits.maxBatch
}

/** The sizes that may be measured: 1, 2, 4, … and the largest. Pure. */
export function batchSizes(maxBatch: number): readonly number[] {
  const sizes = Array.from({ length: Math.floor(Math.log2(maxBatch)) + 1 }, (_, at) => 2 ** at)
  return sizes.at(-1) === maxBatch ? sizes : [...sizes, maxBatch]
}

/**
 * Service times of batches of 1, 2, 4, … rows, up to the first size that brings less than 3 % more throughput than the one
 * before (looked at twice before it is believed) or the largest. Each size is measured in blocks, one size after the other
 * and then again, so that what disturbs the machine for a while meets a block of each and not one size alone.
 */
export async function measureStage(
  measured: Measured,
  limits: Omit<MeasureLimits, 'maxAcceleratorBatch'>,
  onBlock: (batch: number) => void,
): Promise<readonly MeasuredBatch[]> {
  const found: { batch: number; blocks: number[][] }[] = []
  const block = async (batch: number): Promise<number[]> => {
    await measured.setUp(batch)
    const warming = found.length === 0 ? firstWarmUp : warmUp
    await runsFor(measured, { ...warming, enoughMs: Math.min(warming.enoughMs, limits.maxPointMs) })
    const runs = await runsFor(measured, blockTerms(limits))
    onBlock(batch)
    return runs
  }
  for (const batch of batchSizes(limits.maxBatch)) {
    const one = { batch, blocks: [await block(batch)] }
    const before = found.at(-1)
    found.push(one)
    if (before === undefined || paysOff(before, one)) continue
    before.blocks.push(await block(before.batch))
    one.blocks.push(await block(batch))
    if (!paysOff(before, one)) break
  }
  for (let round = 1; round < blocksPerBatch; round++) {
    for (const { batch, blocks } of found) {
      if (blocks.length <= round) blocks.push(await block(batch))
    }
  }
  return found
}

interface BlockTerms {
  readonly leastRuns: number
  readonly mostRuns: number
  readonly enoughMs: number
  readonly mostMs?: number
}

function blockTerms({
  minRuns,
  maxPointMs,
}: Pick<MeasureLimits, 'minRuns' | 'maxPointMs'>): BlockTerms {
  return {
    leastRuns: Math.ceil(minRuns / blocksPerBatch),
    mostRuns: mostRunsPerBlock,
    enoughMs,
    mostMs: maxPointMs / blocksPerBatch,
  }
}

async function runsFor(measured: Measured, terms: BlockTerms): Promise<number[]> {
  const { leastRuns, mostRuns, enoughMs, mostMs = Number.POSITIVE_INFINITY } = terms
  const runs: number[] = []
  const beganMs = performance.now()
  for (let tries = 0; ; tries++) {
    const tookMs = performance.now() - beganMs
    const enough = runs.length >= leastRuns && (tookMs >= enoughMs || runs.length >= mostRuns)
    if (enough || (runs.length > 0 && tookMs >= mostMs)) return runs
    const run = await measured.run()
    if (run !== undefined) runs.push(run.serviceMs)
    else if (tries > 10 + 2 * runs.length) throw scattered()
  }
}

// Rows of one shape always make a batch: that they do not is a mistake of ours.
function scattered(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_STAGE_FAILED',
    message: 'rows sent together were not run as one batch; please report it with the pipeline',
  })
}
