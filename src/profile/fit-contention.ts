import { bisect } from './bisect.ts'
import { round } from './points.ts'
import type { ContentionPoint } from './profile.ts'

/** What contention may be multiplied by: beyond, it is something else that makes a burst last. */
const least = 0.5
const most = 2
/**
 * How much longer a burst must be estimated to take with the most contention than with the least for its length to say
 * anything of contention: where threads are seldom busy together, a machine that has become a little slower says more.
 */
const leastEffect = 1.2

/**
 * Contention with which the estimator takes as long for a burst as the engine did. What was measured with replicas of one
 * stage holds for whatever keeps threads busy together, up to a factor: other stages share caches better or worse, and rows
 * come from another core. Slowdowns stay at least 1, that of one thread as it was. As it was altogether where the estimate
 * hardly depends on contention.
 *
 * `estimateMs` must not fall when slowdowns rise.
 */
export async function fitContention(
  contention: readonly ContentionPoint[],
  {
    burstMs,
    estimateMs,
  }: {
    readonly burstMs: number
    readonly estimateMs: (contention: readonly ContentionPoint[]) => Promise<number>
  },
): Promise<readonly ContentionPoint[]> {
  const [lowestMs, highestMs] = [
    await estimateMs(scaled(contention, least)),
    await estimateMs(scaled(contention, most)),
  ]
  if (!(highestMs >= leastEffect * lowestMs)) return contention
  if (burstMs <= lowestMs) return scaled(contention, least)
  if (burstMs >= highestMs) return scaled(contention, most)
  const estimate = (factor: number) => estimateMs(scaled(contention, factor))
  const factor = await bisect(burstMs, estimate, { lowest: least, highest: most })
  return scaled(contention, factor)
}

function scaled(
  contention: readonly ContentionPoint[],
  factor: number,
): readonly ContentionPoint[] {
  return contention.map(({ busyThreads, slowdown }) => {
    return {
      busyThreads,
      slowdown: busyThreads === 1 ? slowdown : Math.max(1, round(factor * slowdown)),
    }
  })
}
