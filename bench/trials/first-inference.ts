/** How long after its start a process gives its first answer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type PublishedPackage, publishedPackage } from './published-package.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const script = fileURLToPath(new URL('./first-inference-process.mjs', import.meta.url))

export const firstInference: Trial = {
  name: 'first-inference',
  measures: 'from the start of a process to the first answer of the digits cascade',
  unit: 'ms',
  target: { figure: 'ours', atMost: 350 },
  ratio: 'reference/ours',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const published = await publishedPackage()
  const figures = await alternate(
    {
      ours: () => answerMs('millrace', published),
      onnxruntime: () => answerMs('onnxruntime', published),
    },
    { rounds: quick ? 2 : 15, label: 'ms' },
  )
  return [
    {
      ours: median(figures.ours),
      reference: median(figures.onnxruntime),
      referenceName: 'onnxruntime-node alone: both sessions, and the same digit through them',
      details: { rounds: figures },
    },
  ]
}

/** Until the first byte on standard output: how the process ends is not our subject. */
async function answerMs(side: string, { url, env }: PublishedPackage): Promise<number> {
  const beganMs = performance.now()
  const child = spawn(process.execPath, [script, side, url], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  let answeredMs: number | undefined
  child.stdout.once('data', () => {
    answeredMs = performance.now() - beganMs
  })
  const [exitCode, signal] = await closed
  if (exitCode === 0 && answeredMs !== undefined) return answeredMs
  throw new Error(`${side} ended without an answer: ${signal ?? `exit code ${exitCode}`}`)
}
