// Goes round the event loop instead of sleeping in it, while an answer is expected at any moment. To put this thread to
// sleep and wake it again costs more than a small model takes (on a virtual machine often 50 us), so for a short time we
// look ourselves. Timers and I/O are served on every round; nothing is held up, only the processor is kept awake.
//
// Whether it pays is learnt from how long answers took lately, as the replicas do (native/queue/spinner.h): slow models
// never make it spin.
import { loadAddon } from '../native/load.ts'

const budgetMs = 0.1
const mostScore = 16
const evenScore = 8

export class Poller {
  #score = mostScore
  #polling = false
  /** When something was last sent to an idle engine or answered. */
  #sinceMs = 0
  readonly #isPending: () => boolean
  readonly #round = (): void => this.#poll()

  /** `isPending` says whether any answer is awaited. */
  constructor(isPending: () => boolean) {
    this.#isPending = isPending
  }

  /** The first request after none. */
  began(): void {
    this.#sinceMs = performance.now()
    this.#start()
  }

  /** Some were answered. */
  answered(): void {
    const nowMs = performance.now()
    this.#learn(nowMs - this.#sinceMs <= budgetMs)
    this.#sinceMs = nowMs
    if (this.#isPending()) this.#start()
  }

  #learn(wasShort: boolean): void {
    if (wasShort && this.#score < mostScore) this.#score++
    if (!wasShort && this.#score > 0) this.#score--
  }

  #start(): void {
    if (this.#polling || this.#score < evenScore) return
    this.#polling = true
    setImmediate(this.#round)
  }

  #poll(): void {
    const goOn = this.#isPending() && performance.now() - this.#sinceMs < budgetMs
    if (!goOn) this.#polling = false
    loadAddon().poll(!goOn)
    if (goOn) setImmediate(this.#round)
  }
}
