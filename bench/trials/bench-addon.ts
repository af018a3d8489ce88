/**
 * What bench/native/addon exports, as it is: the bare floor and the bare loops. Built together with the
 * product's addon, and loaded only by trials.
 */
import { createRequire } from 'node:module'

export type BenchAddon = {
  createFloor(options: {
    /** As many rows as fit it may wait at once. */
    payload: ArrayBuffer
    rowBytes: number
    /** The first `rows` rows of the payload are answers, in the order of submission. */
    onSettled: (rows: number) => void
  }): NativeFloor
  /** When runs ended, ascending, in milliseconds since the start; see bare_runs.h. */
  bareRuns(options: {
    libraryPath: string
    libraryVersion: string
    modelPath: string
    threads: number
    durationMs: number
    inputs: readonly { data: Float32Array | BigInt64Array; dims: readonly number[] }[]
  }): Promise<Float64Array>
  /** Milliseconds of a copy to a CUDA device and back; see bare_gpu.h. */
  gpuCopies(options: {
    driver: string
    bytes: number
    rounds: number
    pinned: boolean
  }): Promise<number>
  /** Rows a second of bare batches of a kernel; see bare_gpu.h. */
  gpuBatches(options: {
    driver: string
    compiler: string
    source: string
    kernel: string
    width: number
    rows: number
    batches: number
    flights: 1 | 2
  }): Promise<number>
}

export type NativeFloor = {
  /** Copies the row. */
  submit(row: Float32Array): void
  /** Lets the process end; nothing may be called afterwards. */
  close(): void
}

const require = createRequire(import.meta.url)

export function loadBenchAddon(): BenchAddon {
  return require('../../build/Release/millrace_bench.node') as BenchAddon
}
