/**
 * The JavaScript half of the bare floor (bench/native/addon/floor.h): what `infer` cannot do without, and
 * nothing else. A promise, a row copied in, one wake of the event loop for all that wait, a row copied
 * out, a result of the same form as the engine's with memory of its own. No checks, options, names,
 * errors or order other than first in, first out.
 */
import { loadBenchAddon, type NativeFloor } from './bench-addon.ts'

type FloorResult = { y: { type: 'float32'; dims: readonly number[]; data: Float32Array } }
type Resolve = (result: FloorResult) => void

const elements = 32
const mostInFlight = 4096
const dims = Object.freeze([1, elements])

export class Floor {
  readonly #payload = new Float32Array(mostInFlight * elements)
  readonly #native: NativeFloor = loadBenchAddon().createFloor({
    payload: this.#payload.buffer,
    rowBytes: elements * Float32Array.BYTES_PER_ELEMENT,
    onSettled: (rows) => this.#settle(rows),
  })
  #resolves: Resolve[] = []
  #settling: Resolve[] = []
  readonly #executor = (resolve: Resolve): void => {
    this.#resolves.push(resolve)
  }

  infer(x: Float32Array): Promise<FloorResult> {
    this.#native.submit(x)
    return new Promise(this.#executor)
  }

  close(): void {
    this.#native.close()
  }

  // Two lists in turn: those who wait now are answered while the next may already be added.
  #settle(rows: number): void {
    const resolves = this.#resolves
    this.#resolves = this.#settling
    this.#settling = resolves
    for (let row = 0; row < rows; row++) {
      const data = this.#payload.slice(row * elements, (row + 1) * elements)
      const resolve = resolves[row] as Resolve
      resolve({ y: { type: 'float32', dims, data } })
    }
    resolves.length = 0
  }
}
