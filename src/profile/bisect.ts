const mostSteps = 12
/** Closer than this there is nothing to gain. */
const closeEnough = 0.01

/**
 * The value between two at which an estimate is what was measured, near enough: halved again and again, by factors. The
 * estimate must not fall where the value rises, nor be out of reach at both ends.
 */
export async function bisect(
  measured: number,
  estimate: (value: number) => Promise<number>,
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
): Promise<number> {
  let [low, high] = [Math.log(lowest), Math.log(highest)]
  for (let step = 0; step < mostSteps; step++) {
    const middle = (low + high) / 2
    const estimated = await estimate(Math.exp(middle))
    if (Math.abs(estimated / measured - 1) < closeEnough) return Math.exp(middle)
    if (estimated < measured) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}
