import type { Diagnosis, Finding } from './diagnosis.ts'

type Rule = (diagnosis: Diagnosis) => Finding | undefined

/** What is broken, slow, or worth knowing, in this order. A pure function of what was found. */
export function findingsOf(diagnosis: Diagnosis): readonly Finding[] {
  return rules.flatMap((rule) => rule(diagnosis) ?? [])
}

/** Whether Millrace can serve here. */
export function isBroken(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'broken')
}

const rules: readonly Rule[] = [
  ({ node }) => {
    if (node.fits) return undefined
    const problem = `Node ${node.version} is not supported`
    return broken(problem, `install Node ${node.required}`)
  },
  ({ addon }) => {
    if (addon.loaded) return undefined
    return broken('the native addon cannot be loaded', addon.remedy ?? 'reinstall millrace')
  },
  ({ onnxRuntime: { problem } }) => {
    if (problem === null) return undefined
    const [what = problem, ...remedy] = problem.split('; ')
    return broken(what, remedy.join('; ') || 'reinstall onnxruntime-node')
  },
  // Where a library is missing a model cannot run, and that was said.
  ({ inference: { problem }, addon, onnxRuntime }) => {
    if (problem === null || !addon.loaded || onnxRuntime.problem !== null) return undefined
    return broken(`a model of one operator did not run: ${problem}`, 'report this, with --json')
  },
  ({ processor: { features }, platform }) => {
    if (platform.arch !== 'x64' || features.length === 0 || features.includes('avx2')) {
      return undefined
    }
    const problem = 'the processor, or the virtual machine, has no AVX2'
    return slow(problem, 'models run several times faster with it: use another type of machine')
  },
  ({ container: { cores }, availableCores }) => {
    if (cores === undefined || cores >= availableCores) return undefined
    const problem = `the container may use ${round(cores)} of ${availableCores} cores, and Node counts all of them`
    const most = Math.max(1, Math.floor(cores))
    const remedy = `keep replicas times threads of all stages within ${most}, and profile inside such a container`
    return slow(problem, remedy)
  },
  ({ container: { throttled } }) => {
    if (throttled === undefined || throttled < 0.01) return undefined
    const problem = `the container was stopped at its limit in ${Math.round(throttled * 100)} % of all periods`
    return slow(problem, 'raise its processor limit, or use fewer replicas and threads')
  },
  ({ processor: { governor } }) => {
    if (governor === undefined || governor === 'performance') return undefined
    const problem = `the clock of the processor follows the load (governor ${governor})`
    return slow(problem, 'cpupower frequency-set -g performance, where latency counts')
  },
  ({ loadAverage, availableCores }) => {
    if (loadAverage <= availableCores) return undefined
    const problem = `${round(loadAverage)} threads wanted a core in the last minute, and there are ${availableCores}`
    return slow(problem, 'profile and measure when nothing else runs')
  },
  ({ container: { memoryMb }, memory }) => {
    const mb = Math.min(memoryMb ?? memory.totalMb, memory.totalMb)
    if (mb >= 512) return undefined
    return slow(`there are ${Math.round(mb)} MB of memory`, 'Node and ONNX Runtime alone take 150')
  },
  ({ processor: { physicalCores, logicalCores } }) => {
    if (physicalCores === undefined || physicalCores >= logicalCores) return undefined
    const problem = `${logicalCores} cores are ${physicalCores} with two threads each or so`
    return note(problem, `replicas times threads beyond ${physicalCores} gain little with models`)
  },
  ({ overcommit }) => {
    if (overcommit !== 2) return undefined
    const problem = 'memory is promised only where it is there (vm.overcommit_memory is 2)'
    return note(problem, 'many threads and large models may be refused: use 0, or add swap')
  },
]

function broken(problem: string, remedy: string): Finding {
  return { level: 'broken', problem, remedy }
}

function slow(problem: string, remedy: string): Finding {
  return { level: 'slow', problem, remedy }
}

function note(problem: string, remedy: string): Finding {
  return { level: 'note', problem, remedy }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
