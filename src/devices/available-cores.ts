import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Cores this process may use: what the system offers, or the container's quota where that is less. At least 1. */
export function availableCores(): number {
  return Math.max(1, Math.min(availableParallelism(), quotaCores()))
}

// cgroup v2: "max 100000" or "QUOTA PERIOD", in microseconds. Node 20 does not look at it.
function quotaCores(): number {
  try {
    const [quotaUs, periodUs] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ')
    const cores = Math.ceil(Number(quotaUs) / Number(periodUs))
    return cores > 0 ? cores : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
