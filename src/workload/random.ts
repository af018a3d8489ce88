import { exactExp, exactLog } from './exact-math.ts'

/** Which numbers: of one seed, as many streams as wanted, each unlike the others. */
export interface RandomOptions {
  /** From 0 to 2^53 - 1. */
  readonly seed: number
  /** Default 0. */
  readonly stream?: number
}

const twoTo26 = 67108864
const twoTo32 = 4294967296
const twoTo53 = 9007199254740992

/** Seeded random numbers: the same seed gives the same numbers, to the last bit, on every machine. */
export class Random {
  readonly #state = new Uint32Array(4)
  #spareNormal: number | undefined

  constructor({ seed, stream = 0 }: RandomOptions) {
    const upper = mix(Math.floor(seed / twoTo32) + Math.imul(stream, 0x632be5ab))
    // xoshiro must not start at all zeros, and close seeds must not give close streams.
    for (let index = 0; index < 4; index++) {
      this.#state[index] = mix(upper ^ mix((seed % twoTo32) + (index + 1) * 0x9e3779b9))
    }
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1
  }

  /** 32 random bits: xoshiro128** (Blackman and Vigna 2018). */
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

  /** In [0, 1), in steps of 2^-53. */
  uniform(): number {
    return ((this.bits() >>> 5) * twoTo26 + (this.bits() >>> 6)) / twoTo53
  }

  /** In (0, 1]: where the logarithm is taken. */
  positiveUniform(): number {
    return 1 - this.uniform()
  }

  /** Mean 1. */
  exponential(): number {
    return -exactLog(this.positiveUniform())
  }

  /** Mean 0, variance 1: the polar method (Marsaglia 1962). */
  normal(): number {
    const spare = this.#spareNormal
    this.#spareNormal = undefined
    if (spare !== undefined) return spare
    for (;;) {
      const first = 2 * this.uniform() - 1
      const second = 2 * this.uniform() - 1
      const square = first * first + second * second
      if (square >= 1 || square === 0) continue
      const factor = Math.sqrt((-2 * exactLog(square)) / square)
      this.#spareNormal = second * factor
      return first * factor
    }
  }

  /** Mean and variance both `shape`, above 0 (Marsaglia and Tsang 2000). */
  gamma(shape: number): number {
    if (shape === 1) return this.exponential()
    if (shape < 1) {
      return this.gamma(shape + 1) * exactExp(exactLog(this.positiveUniform()) / shape)
    }
    const offset = shape - 1 / 3
    const slope = 1 / Math.sqrt(9 * offset)
    for (;;) {
      const normal = this.normal()
      const root = 1 + slope * normal
      if (root <= 0) continue
      const cube = root * root * root
      const square = normal * normal
      const uniform = this.positiveUniform()
      // Nearly always enough, and no logarithm.
      if (uniform < 1 - 0.0331 * square * square) return offset * cube
      if (exactLog(uniform) < 0.5 * square + offset * (1 - cube + exactLog(cube))) {
        return offset * cube
      }
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
