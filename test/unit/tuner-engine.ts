// A tuner on an engine that is simulated, or nothing but counts replicas, under a time that tests own.
import { SimulatedEngine } from '../../src/tuner/simulated-engine.ts'
import { Tuner } from '../../src/tuner/tuner.ts'
import type { TunerEvents } from '../../src/tuner/tuner-events.ts'
import type { TunerOptions } from '../../src/tuner/tuner-options.ts'
import { planOf } from './tuner-plans.ts'

const nothing = { advance: () => false, setReplicas: () => {} }

/** Requests at the same distance, one after the other from `fromMs` on. */
export function even(ratePerS: number, fromMs: number, toMs: number): readonly number[] {
  const count = Math.round(((toMs - fromMs) * ratePerS) / 1000)
  return Array.from({ length: count }, (_, at) => fromMs + (1000 * at) / ratePerS)
}

export interface TunedTrace extends Partial<TunerOptions> {
  readonly arrivalsMs: ArrayLike<number>
  readonly untilMs?: number
  /** Does something with the engine before it plays. */
  readonly prepare?: (engine: SimulatedEngine, tuner: Tuner) => void
}

/** Tunes an engine that serves nothing through a trace. */
export async function tuned({ arrivalsMs, untilMs, prepare, ...options }: TunedTrace) {
  const plan = options.plan ?? planOf()
  const { configuration } = plan
  const engine = new SimulatedEngine({ run: nothing, arrivalsMs, configuration })
  const tuner = new Tuner(engine, { time: engine.time, ...options, plan })
  const events: TunerEvents['scale'][] = []
  tuner.on('scale', (event) => events.push(event))
  prepare?.(engine, tuner)
  tuner.start()
  engine.play({ untilMs })
  const stats = tuner.stats()
  await tuner.stop()
  return { engine, events, stats }
}
