/** Whether requests that were aborted while they waited cost the others anything. */
import { buildLoadModel } from '../models/index.ts'
import { startLoadEngine } from './load-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const requests = 24

export const cancel: Trial = {
  name: 'cancel',
  measures: `encoder (64 tokens), batches of 4: the time to answer ${requests} requests, as many others aborted among them`,
  unit: 'ms',
  target: { figure: 'ratio', atMost: 1.1 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const modelPath = await buildLoadModel('encoder')
  const stage = { replicas: 1, maxBatch: 4 }
  const { engine, inputs } = await startLoadEngine({ model: 'encoder', modelPath, ...stage })
  let [wanted, aborted] = [0, 0]
  const burst = async (aborting: boolean) => {
    const controller = new AbortController()
    const startMs = performance.now()
    const answers = [engine.infer(inputs)]
    const gone: Promise<unknown>[] = []
    // What is aborted came after the first, whose batch runs far longer than it takes to send all of them.
    while (engine.stats().stages.model.waitingRows > 0) await new Promise(setImmediate)
    for (let request = 0; request < requests; request++) {
      if (aborting) gone.push(refused(engine.infer(inputs, { signal: controller.signal })))
      answers.push(engine.infer(inputs))
    }
    controller.abort()
    await Promise.all(answers)
    const tookMs = performance.now() - startMs
    wanted += answers.length
    aborted += gone.length
    await Promise.all(gone)
    return tookMs
  }
  const sides = { ours: () => burst(true), without: () => burst(false) }
  await alternate(sides, { rounds: 1, label: 'warming up' })
  const figures = await alternate(sides, { rounds: quick ? 3 : 9, label: 'ms' })
  const { rows } = engine.stats().stages.model
  await engine.close()
  if (rows !== wanted) throw new Error(`${rows - wanted} of ${aborted} aborted requests were run`)
  return [
    {
      ours: median(figures.ours),
      reference: median(figures.without),
      referenceName: 'the same without the others',
      details: { aborted, abortedAndRun: 0, rounds: figures },
    },
  ]
}

async function refused(request: Promise<unknown>): Promise<void> {
  const answered = await request.then(
    () => true,
    () => false,
  )
  if (answered) throw new Error('an aborted request was answered')
}
