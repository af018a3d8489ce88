import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkObject,
  checkOneOf,
  checkRecord,
  describe,
} from '../check.ts'
import { availableCores } from '../devices/available-cores.ts'
import { MillraceError } from '../errors.ts'
import {
  type Configuration,
  type ResolvedStageConfiguration,
  resolveConfiguration,
} from '../pipeline/configuration.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { readTier } from '../pipeline/tier.ts'

/** How an engine serves its pipeline. */
export interface EngineOptions<Stages extends string = string> {
  /** How each stage is run. Default: one thread a replica, batches up to 16, the cores shared out. */
  readonly configuration?: Configuration<Stages> | undefined
  /**
   * Rows in the pipeline at once, waiting or running, from 1 to 1,048,576; a request beyond is rejected at once with
   * MILLRACE_QUEUE_FULL. Items of a fan-out count, too. Default: as many as fit 64 MiB of the inputs of the stage with
   * the largest, from 64 to 4096.
   */
  readonly maxPendingRows?: number | undefined
  /**
   * What becomes of requests that cannot be answered before their deadline. `'shed'`: as soon as that follows from how
   * long batches take and from what waits, they are refused, or dropped at a later stage, so that the processor works for
   * those that can be answered. `'queue'`: they wait until their deadline has passed. Requests without a deadline always
   * wait. Default 'shed'.
   */
  readonly overload?: Overload | undefined
  /**
   * Whether replicas run batches of zeros, of 1, 2, 4, … rows up to their largest, before they take requests; for two
   * seconds at most. Functions are not warmed up, nor models with open dimensions but the batch or with string inputs.
   * Default true.
   */
  readonly warmUp?: boolean | undefined
  /**
   * Bytes of device memory that the kernels of this process may take, by tier: `{ cuda: 2 ** 30, 'cuda-1': 2 ** 31 }`. A
   * replica that finds less than it needs for its largest batch takes smaller ones (`shrunkBatches` of its stage counts
   * that), and is not made where there is none for a row. Values that stay on the device between stages take a quarter of
   * it at most; those that find no room go by way of the host. What models of ONNX Runtime take for themselves is not
   * counted: see `gpu_mem_limit` of their provider. Default: what the driver gives.
   */
  readonly gpuMemoryBytes?: Readonly<Record<string, number>> | undefined
}

/**
 * What becomes of requests that cannot be answered in time.
 *
 * @useDeclaredType
 */
export type Overload = (typeof overloads)[number]

/** How an engine ends. */
export interface CloseOptions {
  /**
   * Milliseconds to wait for pending requests, at least 0; what is still pending then is interrupted and rejects with
   * MILLRACE_CLOSED. Default 10,000.
   */
  readonly timeoutMs?: number | undefined
}

/** Options of an engine with their defaults, checked. */
export interface StartTerms {
  /** Of the tiers that cannot be used here, and why. */
  readonly configure: (
    faults: ReadonlyMap<string, string>,
  ) => ReadonlyMap<string, ResolvedStageConfiguration>
  /** Undefined: as many as the models allow, which are not loaded yet. */
  readonly maxPendingRows: number | undefined
  /** Infinity where the pipeline has no objective. */
  readonly objectiveMs: number
  readonly shed: boolean
  readonly warmUp: boolean
  /** By device; none: no limit. */
  readonly gpuMemoryBytes: ReadonlyMap<number, number>
}

const startKeys = [
  'configuration',
  'maxPendingRows',
  'overload',
  'warmUp',
  'gpuMemoryBytes',
] as const
const overloads = ['shed', 'queue'] as const
const mostPendingRows = 1 << 20
const defaultCloseMs = 10_000

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readEngineOptions(pipeline: Pipeline, options: unknown): StartTerms {
  const given = checkObject(options, { name: 'engine options', keys: startKeys })
  const { configuration = {}, maxPendingRows, overload = 'shed', warmUp = true } = given
  const { gpuMemoryBytes = {} } = given
  const shed = checkOneOf(overload, { name: 'overload', choices: overloads }) === 'shed'
  const asked = { configuration, cores: availableCores() }
  return {
    configure: (faults) => resolveConfiguration(pipeline, { ...asked, faults }),
    warmUp: checkBoolean(warmUp, { name: 'warmUp' }),
    gpuMemoryBytes: checkGpuMemory(gpuMemoryBytes),
    maxPendingRows: maxPendingRows === undefined ? undefined : checkPendingRows(maxPendingRows),
    objectiveMs: pipeline.objective?.latencyMs ?? Number.POSITIVE_INFINITY,
    shed,
  }
}

/** How long to wait, in milliseconds. @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readCloseOptions(options: unknown): number {
  const given = checkObject(options, { name: 'close options', keys: ['timeoutMs'] })
  const { timeoutMs = defaultCloseMs } = given
  return checkNumber(timeoutMs, { name: 'timeoutMs', min: 0 })
}

function checkGpuMemory(value: unknown): ReadonlyMap<number, number> {
  const entries = Object.entries(checkRecord(value, { name: 'gpuMemoryBytes' }))
  return new Map(
    entries.map(([tier, bytes]) => {
      const place = readTier(tier)
      const name = `gpuMemoryBytes, ${tier}`
      if (place?.provider === 'cuda') return [place.device, checkInteger(bytes, { name, min: 1 })]
      const expected = 'expected tiers "cuda" or "cuda-N", where kernels run'
      throw new MillraceError({
        code: 'MILLRACE_INVALID_OPTION',
        message: `${name}: ${expected}, got ${describe(tier)}; name these`,
      })
    }),
  )
}

function checkPendingRows(value: unknown): number {
  return checkInteger(value, { name: 'maxPendingRows', min: 1, max: mostPendingRows })
}
