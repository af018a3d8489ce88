/**
 * The kinds of hardware slots a replica may take, and their prices. The file format `profiles/hardware.schema.json`,
 * version 1.
 */
export interface Hardware {
  /** Of the format. */
  readonly version: 1
  /** By the name that configurations and profiles give it. */
  readonly tiers: Readonly<Record<string, Tier>>
}

/** A hardware slot for one replica. */
export interface Tier {
  /** What it is of; only `cpu` keeps cores of the machine busy. */
  readonly kind: 'cpu' | 'cuda' | 'tensorrt' | 'webgpu'
  /** Threads of one replica, of kind `cpu`. Default 1. */
  readonly threads?: number | undefined
  /** Of one replica, in dollars (or any currency: only sums and ratios are made). */
  readonly pricePerHour: number
  /** Power of a replica that waits. Default: it is not known, and estimates say nothing of power. */
  readonly idleWatts?: number | undefined
  /** Power of a replica that runs. Default: it is not known, and estimates say nothing of power. */
  readonly busyWatts?: number | undefined
}
