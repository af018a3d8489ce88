/**
 * What was measured of a pipeline's stages: how long batches take on each tier, how often each stage runs, and what runs
 * together. The file format `profiles/profile.schema.json`, version 1; `profiles/README.md` explains every number.
 */
export interface Profile {
  /** Of the format. */
  readonly version: 1
  /** Name of the pipeline. */
  readonly pipeline: string
  /** By name; what depends on what is said by `edges`. */
  readonly stages: Readonly<Record<string, StageProfile>>
  /** The stage TO waits for the stage FROM. */
  readonly edges: readonly (readonly [from: string, to: string])[]
  /**
   * Which stages requests visit together: the joint distribution of branches. Without it each stage is taken to run
   * independently of the others, as often as its `scaleFactor` says.
   */
  readonly paths?: readonly PathProfile[] | undefined
  /** What serving costs beside the models. Absent: nothing. */
  readonly overhead?: OverheadProfile | undefined
  /** How much slower everything is when so many threads are busy, ascending. Absent: never slower. */
  readonly contention?: readonly ContentionPoint[] | undefined
  /**
   * How threads share cores where there are more of them. Absent: they do not, and what many of them cost each other is
   * in `contention` alone.
   */
  readonly timeSharing?: TimeSharingProfile | undefined
  /**
   * By tier of an accelerator, how much slower batches are when so many replicas, of whatever stages, are busy on the one
   * device behind it. Absent: each replica has a device to itself.
   */
  readonly sharing?: Readonly<Record<string, readonly SharingPoint[]>> | undefined
  /** Where it was measured. Absent: it does not say. */
  readonly machine?: MachineProfile | undefined
  /** When and with what it was measured. Absent: it was not. */
  readonly measured?: MeasuredWith | undefined
  /** Where the numbers come from. Absent where they were measured by a {@link Profiler}. */
  readonly source?: string | undefined
}

/** One stage. It has either `tiers`, or `models` to choose from, each with tiers of its own. */
export interface StageProfile {
  /** Visits per request of the pipeline, on average; above 1 where it runs for each item of a fan-out. */
  readonly scaleFactor: number
  /** What runs it; an `inline` stage waits for others and keeps no core busy. Default `onnx`. */
  readonly kind?: 'onnx' | 'js' | 'inline' | 'cuda' | undefined
  /** Turns a row into items, for each of which the stages that read it run. Default false. */
  readonly fanOut?: boolean | undefined
  /** The fan-out stage whose items it waits for and brings together. Default: none. */
  readonly gather?: string | undefined
  /** Milliseconds that a batch keeps its replica beside its service time. Default: the profile's `overhead.hopMs`. */
  readonly hopMs?: number | undefined
  /** By the name of the tier: what a replica does on it. Absent where there are `models`. */
  readonly tiers?: Readonly<Record<string, TierProfile>> | undefined
  /** By its name: each of the models to choose from. Absent where there are `tiers`. */
  readonly models?: Readonly<Record<string, ModelProfile>> | undefined
}

/** One of several models of a stage. */
export interface ModelProfile {
  /** Share of right answers, from 0 to 1. */
  readonly accuracy: number
  /** By the name of the tier: what a replica does on it. */
  readonly tiers: Readonly<Record<string, TierProfile>>
}

/** One replica on one tier. */
export interface TierProfile {
  /** Ascending batch sizes. A larger batch takes no less time, and each row in it no more. */
  readonly points: readonly ProfilePoint[]
  /** Milliseconds more that a batch takes on a replica that had slept: cold caches, a core that slows down. Default 0. */
  readonly wakeMs?: number | undefined
  /** Megabytes of the model, shared by all replicas of one thread. Default 0. */
  readonly modelMb?: number | undefined
  /** Megabytes of each replica beside that. Default 0. */
  readonly replicaMb?: number | undefined
}

/** Service times of batches of one size: from start to end, without any wait. */
export interface ProfilePoint {
  /** Rows of the batches. */
  readonly batch: number
  /** Mean of the whole batch. */
  readonly meanMs: number
  /** What 99 % of the batches do not exceed. */
  readonly p99Ms: number
  /** Median. Absent: it is not known, and nothing needs it. */
  readonly p50Ms?: number | undefined
  /** At shares 0, 1/n, ..., 1 of the runs, ascending. Absent: times are taken to be lognormal, by mean and p99. */
  readonly quantilesMs?: readonly number[] | undefined
  /** How many batches were measured, those to warm up aside. Absent: none were, or it does not say. */
  readonly runs?: number | undefined
}

/** A kind of request, or of item: which stages it visits. */
export interface PathProfile {
  /** How many of the sample requests, or as a share of them: relative to the other paths. */
  readonly share: number
  /** Names of the stages that it visits. Absent where `rows` is there. */
  readonly visits?: readonly string[] | undefined
  /** For each fan-out stage visited, its items, in their order. Absent where none is visited. */
  readonly items?: Readonly<Record<string, readonly ItemsProfile[]>> | undefined
  /** For requests of several rows: the rows, in their order. Absent where `visits` is there. */
  readonly rows?: readonly ItemsProfile[] | undefined
}

/** So many items (or rows) one after the other that take the same way. */
export interface ItemsProfile {
  /** How many of them. */
  readonly times: number
  /** Names of the stages that each visits. */
  readonly visits: readonly string[]
  /** For each further fan-out stage visited, the items of each, in their order. Absent where none is visited. */
  readonly items?: Readonly<Record<string, readonly ItemsProfile[]>> | undefined
}

/** What serving costs beside the models. */
export interface OverheadProfile {
  /** Milliseconds of a request that nothing else here accounts for: threads that wake up, caches that are cold. */
  readonly requestMs: number
  /** Milliseconds of a batch beside its service time, for stages without their own: noticed, stored, sent on. */
  readonly hopMs: number
  /** Milliseconds that a request keeps the event loop busy, which takes one after the other. Default 0. */
  readonly loopMs?: number | undefined
  /** Milliseconds of `loopMs` that come when the request is answered. Default 0: all of them come before it begins. */
  readonly answerMs?: number | undefined
}

/** How much slower batches are when so many threads are busy. */
export interface ContentionPoint {
  /** Threads that run batches at the same time. */
  readonly busyThreads: number
  /** The factor by which they take longer than one alone, at least 1. */
  readonly slowdown: number
}

/** How the operating system shares cores among threads. */
export interface TimeSharingProfile {
  /** Cores that the process may use. */
  readonly cores: number
  /** Milliseconds that a thread keeps its core while others wait for one. */
  readonly sliceMs: number
}

/** How much slower batches are when so many replicas share a device. */
export interface SharingPoint {
  /** Replicas that run batches on the device at the same time. */
  readonly busyReplicas: number
  /** The factor by which they take longer than one alone, at least 1. */
  readonly slowdown: number
}

/** Where a profile was measured. */
export interface MachineProfile {
  /** Name of the processor. */
  readonly cpu: string
  /** Cores that the process might use. */
  readonly cores: number
  /** Megabytes of memory of the machine. */
  readonly memoryMb: number
  /** Such as `linux x64`. */
  readonly platform: string
}

/** When and with what a profile was measured. */
export interface MeasuredWith {
  /** When it was done: ISO 8601. */
  readonly date: string
  /** Version of Millrace. */
  readonly millrace: string
  /** Version of Node, such as `v20.19.0`. */
  readonly node: string
  /** Version of ONNX Runtime. */
  readonly onnxruntime: string
  /** How many sample requests there were. */
  readonly samples: number
}
