// The digits cascade of example 01, profiled, planned, served and tuned: what the live page shows.

import { readDigits } from '../../examples/01-digits-cascade/digits.js'
import { Engine } from '../../src/engine/engine.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import type { Plan } from '../../src/planner/plan.ts'
import { Planner } from '../../src/planner/planner.ts'
import type { Hardware } from '../../src/profile/hardware.ts'
import { Profiler } from '../../src/profile/profiler.ts'
import { defaultHardware } from '../../src/profile/read-hardware.ts'
import { Tuner } from '../../src/tuner/tuner.ts'
import { Trace } from '../../src/workload/trace.ts'

const models = new URL('../../examples/01-digits-cascade/models/', import.meta.url)

export const digits = definePipeline({
  name: 'digits',
  objective: { latencyMs: 20, percentile: 99 },
  stages: {
    fast: onnx(new URL('digits-fast.onnx', models), { inputs: { image: 'request.image' } }),
    accurate: onnx(new URL('digits-accurate.onnx', models), {
      inputs: { image: 'request.image' },
      when: { output: 'fast.confidence', below: 0.8 },
    }),
  },
  outputs: { label: ['accurate.label', 'fast.label'] },
})

export const images = readDigits().map(({ image }) => ({ image }))

export interface Planned {
  readonly plan: Plan
  readonly hardware: Hardware
}

/** A real plan, from a profile that is measured in a moment. */
export async function planDigits(ratePerS = 300): Promise<Planned> {
  const limits = { maxBatch: 4, minRuns: 5, maxPointMs: 50 }
  const profile = await new Profiler(digits, { samples: images, ...limits }).run()
  const hardware = await defaultHardware()
  const trace = Trace.gamma({ ratePerS, cv2: 1, durationMs: 20_000, seed: 1 })
  const plan = await new Planner({ profile, hardware }).plan(trace, { pipeline: digits })
  return { plan, hardware }
}

export class TunedDigits implements AsyncDisposable {
  readonly engine: Engine<typeof digits>
  readonly tuner: Tuner
  readonly planned: Planned

  private constructor(engine: Engine<typeof digits>, planned: Planned) {
    this.engine = engine
    this.planned = planned
    this.tuner = new Tuner(engine, { plan: planned.plan, limits: { maxReplicas: 4 } })
  }

  static async start(planned: Planned): Promise<TunedDigits> {
    const { configuration } = planned.plan
    return new TunedDigits(await Engine.start(digits, { configuration }), planned)
  }

  /** What the live page is given. */
  get watched() {
    return { engine: this.engine, tuner: this.tuner, ...this.planned }
  }

  async infer(requests: number): Promise<void> {
    const chosen = Array.from({ length: requests }, (_, index) => images[index % images.length])
    await Promise.all(chosen.map((inputs) => this.engine.infer(inputs as (typeof images)[number])))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tuner.stop()
    await this.engine.close()
  }
}
