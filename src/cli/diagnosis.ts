// What `millrace doctor` found out. Its JSON is this, with `findings`.
import type { ContainerLimits } from './container-limits.ts'
import type { Processor } from './processor.ts'

export interface Diagnosis {
  readonly millrace: { readonly version: string; readonly folder: string }
  readonly node: { readonly version: string; readonly required: string; readonly fits: boolean }
  readonly platform: {
    readonly platform: string
    readonly arch: string
    /** Null but on Linux. */
    readonly libc: string | null
    readonly system: string
  }
  readonly addon: {
    readonly loaded: boolean
    /** Every place looked at, the one it was loaded from last. */
    readonly attempts: readonly {
      readonly place: string
      readonly target: string
      readonly problem: string | null
    }[]
    /** What to do where it is not. */
    readonly remedy: string | null
  }
  readonly onnxRuntime: {
    readonly version: string
    /** Null where it was not found. */
    readonly file: string | null
    readonly problem: string | null
    readonly providers: readonly Provider[]
  }
  /** Accelerators that a driver of this machine knows, usable or not. */
  readonly devices: readonly DeviceLine[]
  /** A model of one operator, served by an engine: the first answer, loading of libraries included. */
  readonly inference: { readonly answeredMs: number | null; readonly problem: string | null }
  readonly processor: Processor
  /** Cores that this process may be scheduled on. */
  readonly availableCores: number
  /** Running or waiting for a core, over the last minute, all processes together. */
  readonly loadAverage: number
  readonly container: ContainerLimits
  readonly memory: { readonly totalMb: number; readonly freeMb: number }
  /** Linux's vm.overcommit_memory: 0, 1 or 2. */
  readonly overcommit: number | undefined
}

export interface DeviceLine {
  /** The tier that stages would run on. */
  readonly tier: string
  readonly name: string
}

export interface Provider {
  readonly name: string
  readonly available: boolean
  readonly reason: string
}

export interface Finding {
  /** `broken` keeps Millrace from serving; `slow` costs speed; `note` is worth knowing. */
  readonly level: 'broken' | 'slow' | 'note'
  readonly problem: string
  readonly remedy: string
}
