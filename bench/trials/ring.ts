/** Handing a payload from thread to thread, without Node: runs bench/native/ring_bench.cc. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

/** What ring_bench prints; more figures than are named here. */
type RingReport = { ring: number; mutex: number; moodycamel: number | null }

const program = fileURLToPath(new URL('../../build/bench/native/ring_bench', import.meta.url))

export const ring: Trial = {
  name: 'ring',
  measures: 'one transfer of 16 bytes, 2 producers, 2 consumers',
  unit: 'ns',
  target: { figure: 'ratio', atLeast: 3 },
  ratio: 'reference/ours',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const [transfers, rounds] = quick ? [100_000, 5] : [400_000, 15]
  const { stdout } = await promisify(execFile)(program, [String(transfers), String(rounds)])
  const report = JSON.parse(stdout) as RingReport
  return [
    {
      case: 'mutex',
      ours: report.ring,
      reference: report.mutex,
      referenceName: 'std::mutex, condition variable and deque',
      details: report,
    },
    {
      case: 'moodycamel',
      ours: report.ring,
      reference: report.moodycamel,
      referenceName: 'moodycamel::ConcurrentQueue',
      target: { figure: 'ratio', atLeast: 0.9 },
      ...(report.moodycamel === null && { missing: withoutMoodycamel }),
    },
  ]
}

const withoutMoodycamel =
  'not built in: apt-get install libconcurrentqueue-dev, remove build/CMakeCache.txt, npm run setup'
