// The promises of requests that the core has and has not answered, by the core's index of each.
import type { Tensor } from '../pipeline/tensor.ts'
import { Poller } from './poller.ts'

type Resolve = (result: Readonly<Record<string, Tensor>>) => void
type Reject = (error: unknown) => void

export class PendingRequests {
  #count = 0
  readonly #resolves: (Resolve | undefined)[] = []
  readonly #rejects: (Reject | undefined)[] = []
  /** What to undo when a request settles, for the few that have something. */
  readonly #cleanups = new Map<number, () => void>()
  #idle: (() => void)[] = []
  readonly #poller = new Poller(() => this.#count > 0)
  #index = 0
  readonly #executor = (resolve: Resolve, reject: Reject): void => {
    this.#resolves[this.#index] = resolve
    this.#rejects[this.#index] = reject
  }

  get count(): number {
    return this.#count
  }

  add(index: number): Promise<Readonly<Record<string, Tensor>>> {
    if (this.#count++ === 0) this.#poller.began()
    this.#index = index
    return new Promise(this.#executor)
  }

  onSettle(index: number, cleanup: () => void): void {
    this.#cleanups.set(index, cleanup)
  }

  resolve(index: number, result: Readonly<Record<string, Tensor>>): void {
    const resolve = this.#resolves[index]
    this.#forget(index)
    resolve?.(result)
    if (this.#count === 0) this.#becomeIdle()
  }

  reject(index: number, error: unknown): void {
    const reject = this.#rejects[index]
    this.#forget(index)
    reject?.(error)
    if (this.#count === 0) this.#becomeIdle()
  }

  /** The core has delivered what it had. */
  delivered(): void {
    this.#poller.answered()
  }

  /** Fulfils when nothing is pending. */
  whenIdle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #forget(index: number): void {
    this.#count--
    this.#resolves[index] = undefined
    this.#rejects[index] = undefined
    if (this.#cleanups.size === 0) return
    this.#cleanups.get(index)?.()
    this.#cleanups.delete(index)
  }

  #becomeIdle(): void {
    if (this.#idle.length === 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }
}
