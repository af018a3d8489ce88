/**
 * Seeded random numbers: the same seed gives the same numbers on every machine. `uniform` uses exact
 * operations only; the others go through Math.log and Math.cos, which JavaScript does not define to
 * the last bit, so bytes that must agree between engines are drawn with `uniform`.
 */
export class SeededRandom {
  readonly #state = new Uint32Array(4)

  constructor(seed: number) {
    // xoshiro must not start at all zeros, and close seeds must not give close streams.
    for (let index = 0; index < 4; index++)
      this.#state[index] = mix(seed + (index + 1) * 0x9e3779b9)
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1
  }

  /** 32 random bits (xoshiro128**). */
  bits(): number {
    const state = this.#state as unknown as [number, number, number, number]
    const result = Math.imul(rotateLeft(Math.imul(state[1], 5), 7), 9) >>> 0
    const shifted = state[1] << 9
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = rotateLeft(state[3], 11)
    return result
  }

  /** In [0, 1), in steps of 2^-32. */
  uniform(): number {
    return this.bits() / 2 ** 32
  }

  /** Mean 1. */
  exponential(): number {
    return -Math.log1p(-this.uniform())
  }

  /** Mean 0, variance 1 (Box and Muller; the second value is thrown away to keep no state). */
  normal(): number {
    return Math.sqrt(2 * this.exponential()) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Mean and variance both `shape` (Marsaglia and Tsang 2000). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape)
    const offset = shape - 1 / 3
    const slope = 1 / Math.sqrt(9 * offset)
    for (;;) {
      const normal = this.normal()
      const cube = (1 + slope * normal) ** 3
      if (cube <= 0) continue
      const bound = 0.5 * normal * normal + offset * (1 - cube + Math.log(cube))
      if (-this.exponential() < bound) return offset * cube
    }
  }
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count))
}

function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
