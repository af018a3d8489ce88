import { checkInteger, checkNumber } from '../check.ts'
import type { ContentionPoint, SharingPoint } from '../profile/profile.ts'

const code = 'MILLRACE_INVALID_FILE'
const mostThreads = 65536

/**
 * How much slower batches are when 1, 2, 3, ... threads (or replicas of a device) are busy, up to the most that were measured: linear between what
 * was measured, from 1 at one thread, and never less than with fewer threads. Empty: never slower.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE for points that do not ascend or are no numbers.
 */
export function slowdownOf(
  contention: readonly (ContentionPoint | SharingPoint)[] | undefined,
  name = 'contention',
): readonly number[] {
  const slowdown: number[] = []
  for (const [at, point] of (contention ?? []).entries()) {
    const where = `${name}[${at}]`
    const min = at === 0 ? 1 : slowdown.length + 1
    const [key, given] = busyOf(point)
    const busy = checkInteger(given, { name: `${where}.${key}`, min, max: mostThreads, code })
    const measured = checkNumber(point.slowdown, { name: `${where}.slowdown`, min: 1, code })
    if (slowdown.length === 0) slowdown.push(busy === 1 ? measured : 1)
    const from = slowdown.length
    const last = slowdown[from - 1] ?? 1
    const reached = Math.max(last, measured)
    for (let threads = from + 1; threads <= busy; threads++) {
      slowdown.push(last + ((reached - last) * (threads - from)) / (busy - from))
    }
  }
  return slowdown
}

function busyOf(point: ContentionPoint | SharingPoint): readonly [key: string, busy: number] {
  return 'busyThreads' in point
    ? ['busyThreads', point.busyThreads]
    : ['busyReplicas', point.busyReplicas]
}
