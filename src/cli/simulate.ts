import type { Command } from 'commander'
import { MillraceError } from '../errors.ts'
import type { Estimate } from '../estimator/estimate.ts'
import { Estimator } from '../estimator/estimator.ts'
import { readConfiguration } from '../planner/plan-file.ts'
import { readProfile } from '../profile/read-profile.ts'
import { Trace } from '../workload/trace.ts'
import { formatEstimate } from './estimate-report.ts'
import { hardwareHelp, readHardwareOption } from './hardware-option.ts'
import { readNumber } from './option-value.ts'
import type { Terminal } from './terminal.ts'

interface SimulateOptions {
  readonly profile: string
  readonly plan: string
  readonly trace: string
  readonly slo?: number
  readonly hardware?: string
  readonly drawn?: boolean
  readonly json?: boolean
}

const example = `
Example:
  $ millrace simulate --profile digits.profile.json --plan plan.json --trace trace.json --slo 150

Of the plan only its configuration is needed: {"version": 1, "configuration": {"STAGE": {"tier": "cpu-1", "maxBatch": 8, "replicas": 2}}}.
Latencies are in milliseconds, costs per hour in the currency of the hardware file.`

export function addSimulateCommand(program: Command, terminal: Terminal): void {
  program
    .command('simulate')
    .summary('estimate what a configuration makes of a trace')
    .description(
      'Simulates a configuration under a trace, from a profile, and prints the latencies, attainment and cost to expect.',
    )
    .requiredOption('--profile <FILE>', 'how long batches take, made by millrace profile')
    .requiredOption('--plan <FILE>', 'a plan, or a file that holds a configuration')
    .requiredOption('--trace <FILE>', 'when requests arrive')
    .option(
      '--slo <MS>',
      "latency objective in milliseconds (default: the plan's)",
      readNumber('--slo', { above: 0 }),
    )
    .option('--hardware <FILE>', hardwareHelp)
    .option('--drawn', 'draw service times from those measured, instead of taking their means')
    .option('--json', 'print one JSON document: the estimate')
    .addHelpText('after', example)
    .action(async (options: SimulateOptions) => {
      const { estimate, latencyMs } = await simulate(options, terminal.signal)
      if (options.json) terminal.printJson(estimate)
      else terminal.print(formatEstimate(estimate, { latencyMs }))
    })
}

async function simulate(
  options: SimulateOptions,
  signal: AbortSignal,
): Promise<{ readonly estimate: Estimate; readonly latencyMs: number }> {
  const profile = await readProfile(options.profile)
  const { pipeline } = profile
  const { configuration, objective } = await readConfiguration(options.plan, { pipeline })
  const latencyMs = options.slo ?? objective?.latencyMs
  if (latencyMs === undefined) throw noObjective(options.plan)
  const estimator = new Estimator({
    profile,
    hardware: await readHardwareOption(options.hardware),
    serviceTimes: options.drawn ? 'drawn' : 'mean',
  })
  const trace = await Trace.load(options.trace)
  const estimate = await estimator.estimate(configuration, {
    trace,
    objective: { latencyMs },
    signal,
  })
  return { estimate, latencyMs }
}

function noObjective(file: string): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `--slo: expected a latency in milliseconds, since ${file} holds no objective, got none; give --slo MS`,
  })
}
