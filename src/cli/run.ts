import type { Command } from 'commander'
import { Engine } from '../engine/engine.ts'
import { replay } from '../engine/replay.ts'
import { MillraceError } from '../errors.ts'
import type { Estimate } from '../estimator/estimate.ts'
import { Estimator } from '../estimator/estimator.ts'
import type { Plan } from '../planner/plan.ts'
import { type ConfigurationFile, readConfiguration, readPlan } from '../planner/plan-file.ts'
import { readProfile } from '../profile/read-profile.ts'
import { Trace } from '../workload/trace.ts'
import { hardwareHelp, readHardwareOption } from './hardware-option.ts'
import { loadPipeline, pipelineHelp } from './load-pipeline.ts'
import { loadSamples } from './load-samples.ts'
import { readInteger, readNumber } from './option-value.ts'
import { ProgressBar } from './progress-bar.ts'
import { formatRun, type RunReport } from './run-report.ts'
import type { Terminal } from './terminal.ts'
import { type Profiled, type TuningBasis, tune } from './tuning.ts'

interface RunOptions {
  readonly trace: string
  readonly plan?: string
  readonly profile?: string
  readonly hardware?: string
  readonly slo?: number
  readonly warmUp?: number
  readonly maxPending?: number
  readonly tune?: boolean
  readonly maxReplicas?: number
  readonly cores?: number
  readonly budget?: number
  readonly replan: boolean
  readonly replanAfter?: number
  readonly json?: boolean
}

const mostSamples = 10_000

const example = `
Example:
  $ millrace run pipeline.js --trace trace.json --plan plan.json --tune

The module also exports the requests to send, in turn: \`export function samples() { return [{ image }, …] }\`.
Latencies are in milliseconds, from when a request was meant to be sent.`

export function addRunCommand(program: Command, terminal: Terminal): void {
  const command = program
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
  addTuningOptions(command)
    .option('--json', 'print one JSON document')
    .addHelpText('after', example)
    .action(async (file: string, options: RunOptions) => {
      const report = await run(file, { options, terminal })
      if (options.json) terminal.printJson(report)
      else terminal.print(formatRun(report, { trace: options.trace }))
    })
}

/** What is for --tune alone. */
function addTuningOptions(command: Command): Command {
  return command
    .option('--tune', 'change replicas as traffic leaves the plan; needs --plan')
    .option(
      '--max-replicas <N>',
      'replicas of a stage that --tune may make (default: 64)',
      readInteger('--max-replicas', { min: 1, max: 1024 }),
    )
    .option(
      '--cores <N>',
      'threads of all replicas that --tune may make (default: no limit)',
      readNumber('--cores', { above: 0 }),
    )
    .option(
      '--budget <PRICE>',
      'price an hour of all replicas that --tune may make (default: no limit)',
      readNumber('--budget', { above: 0 }),
    )
    .option(
      '--replan-after <S>',
      'seconds that a change must last until --tune plans anew; needs --profile (default: 120)',
      readNumber('--replan-after', { above: 0 }),
    )
    .option('--no-replan', 'only change replicas; without --profile nothing is planned anew anyway')
}

async function run(
  file: string,
  { options, terminal }: { readonly options: RunOptions; readonly terminal: Terminal },
): Promise<RunReport> {
  const module = await loadPipeline(file)
  const { pipeline } = module
  const plan = await readPlanOption(options, pipeline.name)
  const basis = await readBasis(options)
  const trace = await Trace.load(options.trace)
  const requests = await loadSamples(module, mostSamples)
  const latencyMs = options.slo ?? plan?.objective?.latencyMs ?? pipeline.objective?.latencyMs
  const estimate = await predict(basis.profiled, { trace, plan, latencyMs })
  const engine = await Engine.start(pipeline, {
    configuration: plan?.configuration,
    maxPendingRows: options.maxPending,
  })
  const tuning = options.tune
    ? tune(engine, { plan: plan as Plan, basis, terms: options })
    : undefined
  try {
    using bar = new ProgressBar(terminal, '{bar} {percentage} % {value}/{total} requests')
    const { latenciesMs: _, ...measured } = await replay(engine, {
      arrivalsMs: trace.arrivalsMs,
      requests,
      latencyMs,
      warmUpRequests: options.warmUp,
      signal: terminal.signal,
      onStart: tuning?.start,
      onProgress: ({ settled, requests: total }) => bar.show({ done: settled, total }),
    })
    const tuned = await tuning?.stop()
    const { configuration } = engine
    return { pipeline: pipeline.name, latencyMs, configuration, measured, estimate, tuned }
  } finally {
    await tuning?.stop()
    await engine.close({ timeoutMs: terminal.signal.aborted ? 0 : undefined })
  }
}

async function readPlanOption(
  { plan: file, tune }: RunOptions,
  pipeline: string,
): Promise<ConfigurationFile | undefined> {
  if (file !== undefined) {
    // A tuner needs more of a plan than what is served.
    return tune ? await readPlan(file, { pipeline }) : await readConfiguration(file, { pipeline })
  }
  if (!tune) return undefined
  throw new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: '--tune: expected a plan to tune, got none; give --plan FILE, made by millrace plan',
  })
}

/** Files that say what stages take, and what tiers cost. */
async function readBasis(options: RunOptions): Promise<TuningBasis> {
  const { profile: file, hardware: hardwareFile, budget } = options
  const wantsHardware = file !== undefined || hardwareFile !== undefined || budget !== undefined
  const hardware = wantsHardware ? await readHardwareOption(hardwareFile) : undefined
  if (file === undefined || hardware === undefined) return { hardware }
  return { hardware, profiled: { profile: await readProfile(file), hardware } }
}

interface Prediction {
  readonly trace: Trace
  readonly plan: ConfigurationFile | undefined
  readonly latencyMs: number | undefined
}

/** What to expect of this trace where a profile is given, else what the plan expects of its own. */
async function predict(
  profiled: Profiled | undefined,
  { trace, plan, latencyMs }: Prediction,
): Promise<Estimate | undefined> {
  if (profiled === undefined || plan === undefined) return plan?.estimate
  const estimator = new Estimator(profiled)
  // Without an objective there is no attainment, and any latency will do.
  const objective = { latencyMs: latencyMs ?? Number.MAX_VALUE }
  return estimator.estimate(plan.configuration, { trace, objective })
}
