import { Simulator, type SimulatorOptions } from '../estimator/simulator.ts'
import type { Profile } from '../profile/profile.ts'
import { traffic } from './bounds.ts'
import { hardFirst } from './hard-first.ts'
import { Judge, type Simulations } from './judge.ts'
import type { Question } from './question.ts'
import { RuledOut, type Search } from './search.ts'
import { searchSpace } from './search-space.ts'
import { profileOfStage, withoutWakes } from './stage-alone.ts'

/** A question with all that answering it takes. */
export function makeSearch(question: Question): Search {
  const { profile, hardware, limits, trace, objective, signal, onProgress } = question
  const space = searchSpace({ profile, hardware, limits })
  const simulators = new Simulators(question)
  const judge = new Judge({
    space,
    simulations: simulators.of(profile),
    relaxed: simulators.hard(withoutContention(profile)),
    stage: (stage) =>
      simulators.ofStage(stage, () => profileOfStage(profile, { graph: space.graph, stage })),
    requests: trace.arrivalsMs.length,
    ...objective,
    signal,
  })
  const { arrivalsMs } = trace
  const { requestMs = 0, loopMs = 0 } = profile.overhead ?? {}
  const latencyMs = objective.latencyMs - requestMs - loopMs
  return {
    space,
    judge,
    traffic: traffic({ arrivalsMs, allowed: judge.allowed, latencyMs }),
    ruledOut: new RuledOut(),
    report: (progress) => onProgress({ ...progress, simulated: judge.simulated }),
  }
}

// Reading a trace takes a while: each is made when first needed, and once.
class Simulators {
  readonly #question: Question
  #reordered: Pick<SimulatorOptions, 'trace' | 'numbers'> | undefined
  readonly #ofStages = new Map<number, Simulations | undefined>()

  constructor(question: Question) {
    this.#question = question
  }

  of(profile: Profile): Simulations {
    const { hardware, trace, seed } = this.#question
    return new Simulator({ profile, hardware, trace, seed })
  }

  /** For what is to be found late: the trace with its worst parts first. */
  hard(profile: Profile): Simulations {
    const { hardware, seed } = this.#question
    return new Simulator({ profile, hardware, seed, ...this.#hardTrace() })
  }

  #hardTrace(): Pick<SimulatorOptions, 'trace' | 'numbers'> {
    const { trace } = this.#question
    this.#reordered ??= hardFirst(trace) ?? { trace }
    return this.#reordered
  }

  ofStage(stage: number, profile: () => Profile | undefined): Simulations | undefined {
    if (!this.#ofStages.has(stage)) {
      const part = profile()
      this.#ofStages.set(stage, part && this.hard(part))
    }
    return this.#ofStages.get(stage)
  }
}

// However many threads and replicas are busy, none is slower: what misses the objective even so, misses it.
function withoutContention({ contention: _, sharing: __, ...profile }: Profile): Profile {
  return withoutWakes(profile)
}
