import { loadAddon } from '../native/load.ts'
import { round } from './points.ts'
import type { TimeSharingProfile } from './profile.ts'

const forMs = 400

/**
 * How long a thread waits for a core while others have them all: one thread more than there are cores is kept busy.
 * Undefined where they do not get into each other's way, since there are more cores than was said.
 */
export async function measureTimeSharing(cores: number): Promise<TimeSharingProfile | undefined> {
  const sliceMs = await loadAddon().measureTimeSlice(cores + 1, forMs)
  return sliceMs === 0 ? undefined : { cores, sliceMs: round(sliceMs) }
}
