import type { Command } from 'commander'
import { Engine } from '../engine/engine.ts'
import { replay } from '../engine/replay.ts'
import type { Estimate } from '../estimator/estimate.ts'
import { Estimator } from '../estimator/estimator.ts'
import { type ConfigurationFile, readConfiguration } from '../planner/plan-file.ts'
import { readProfile } from '../profile/read-profile.ts'
import { Trace } from '../workload/trace.ts'
import { hardwareHelp, readHardwareOption } from './hardware-option.ts'
import { loadPipeline, pipelineHelp } from './load-pipeline.ts'
import { loadSamples } from './load-samples.ts'
import { readInteger, readNumber } from './option-value.ts'
import { ProgressBar } from './progress-bar.ts'
import { formatRun, type RunReport } from './run-report.ts'
import type { Terminal } from './terminal.ts'

interface RunOptions {
  readonly trace: string
  readonly plan?: string
  readonly profile?: string
  readonly hardware?: string
  readonly slo?: number
  readonly warmUp?: number
  readonly maxPending?: number
  readonly json?: boolean
}

const mostSamples = 10_000

const example = `
Example:
  $ millrace run pipeline.js --trace trace.json --plan plan.json

The module also exports the requests to send, in turn: \`export function samples() { return [{ image }, …] }\`.
Latencies are in milliseconds, from when a request was meant to be sent.`

export function addRunCommand(program: Command, terminal: Terminal): void {
  program
    .command('run')
    .summary('replay a trace on a live engine and report')
    .description(
      'Serves a pipeline here, sends it the requests of a trace in real time, and reports what was measured beside what was predicted.',
    )
    .argument('<PIPELINE>', pipelineHelp)
    .requiredOption('--trace <FILE>', 'when requests arrive')
    .option(
      '--plan <FILE>',
      "plan to serve, and its prediction (default: the engine's own configuration)",
    )
    .option(
      '--profile <FILE>',
      "predict for this trace from a profile, instead of the plan's own prediction",
    )
    .option('--hardware <FILE>', hardwareHelp)
    .option(
      '--slo <MS>',
      "latency objective in milliseconds (default: the plan's, or the pipeline's)",
      readNumber('--slo', { above: 0 }),
    )
    .option(
      '--warm-up <N>',
      'requests made first and not counted (default: 200)',
      readInteger('--warm-up', { min: 0 }),
    )
    .option(
      '--max-pending <ROWS>',
      "rows in the pipeline at once; requests beyond are refused (default: the engine's own)",
      readInteger('--max-pending', { min: 1 }),
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', example)
    .action(async (file: string, options: RunOptions) => {
      const report = await run(file, { options, terminal })
      if (options.json) terminal.printJson(report)
      else terminal.print(formatRun(report, { trace: options.trace }))
    })
}

async function run(
  file: string,
  { options, terminal }: { readonly options: RunOptions; readonly terminal: Terminal },
): Promise<RunReport> {
  const module = await loadPipeline(file)
  const { pipeline } = module
  const plan = await readPlanOption(options.plan, pipeline.name)
  const trace = await Trace.load(options.trace)
  const requests = await loadSamples(module, mostSamples)
  const latencyMs = options.slo ?? plan?.objective?.latencyMs ?? pipeline.objective?.latencyMs
  const estimate = await predict(options, { trace, plan, latencyMs })
  const engine = await Engine.start(pipeline, {
    configuration: plan?.configuration,
    maxPendingRows: options.maxPending,
  })
  try {
    using bar = new ProgressBar(terminal, '{bar} {percentage} % {value}/{total} requests')
    const { latenciesMs: _, ...measured } = await replay(engine, {
      arrivalsMs: trace.arrivalsMs,
      requests,
      latencyMs,
      warmUpRequests: options.warmUp,
      signal: terminal.signal,
      onProgress: ({ settled, requests: total }) => bar.show({ done: settled, total }),
    })
    const { configuration } = engine
    return { pipeline: pipeline.name, latencyMs, configuration, measured, estimate }
  } finally {
    await engine.close({ timeoutMs: terminal.signal.aborted ? 0 : undefined })
  }
}

async function readPlanOption(
  file: string | undefined,
  pipeline: string,
): Promise<ConfigurationFile | undefined> {
  return file === undefined ? undefined : readConfiguration(file, { pipeline })
}

interface Prediction {
  readonly trace: Trace
  readonly plan: ConfigurationFile | undefined
  readonly latencyMs: number | undefined
}

/** What to expect of this trace where a profile is given, else what the plan expects of its own. */
async function predict(
  { profile: file, hardware: hardwareFile }: RunOptions,
  { trace, plan, latencyMs }: Prediction,
): Promise<Estimate | undefined> {
  if (file === undefined || plan === undefined) return plan?.estimate
  const profile = await readProfile(file)
  const hardware = await readHardwareOption(hardwareFile)
  const estimator = new Estimator({ profile, hardware })
  // Without an objective there is no attainment, and any latency will do.
  const objective = { latencyMs: latencyMs ?? Number.MAX_VALUE }
  return estimator.estimate(plan.configuration, { trace, objective })
}
