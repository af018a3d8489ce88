/**
 * The kinds of hardware slots a replica may take, and their prices. The file format `profiles/hardware.schema.json`,
 * version 1.
 */
export interface Hardware {
  readonly version: 1
  readonly tiers: Readonly<Record<string, Tier>>
}

export interface Tier {
  readonly kind: 'cpu' | 'cuda' | 'tensorrt' | 'webgpu'
  /** Threads of one replica, of kind `cpu`. Default 1. */
  readonly threads?: number | undefined
  /** Of one replica, in dollars (or any currency: only sums and ratios are made). */
  readonly pricePerHour: number
  /** Power of a replica that waits. */
  readonly idleWatts?: number | undefined
  /** Power of a replica that runs. */
  readonly busyWatts?: number | undefined
}
