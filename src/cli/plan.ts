import { type Command, Option } from 'commander'
import { writeTextFile } from '../json-file.ts'
import type { Objective } from '../pipeline/objective.ts'
import { type PlanLimits, type Strategy, strategies } from '../planner/plan.ts'
import { writePlan } from '../planner/plan-file.ts'
import { Planner } from '../planner/planner.ts'
import type { PlanOptions as PlannerQuestion } from '../planner/question.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import { readProfile } from '../profile/read-profile.ts'
import { Trace } from '../workload/trace.ts'
import { plotFrontier } from './frontier-plot.ts'
import { hardwareHelp, readHardwareOption } from './hardware-option.ts'
import { readChoice, readInteger, readList, readNumber } from './option-value.ts'
import { formatFrontier, latenciesAround } from './plan-frontier.ts'
import { formatPlan } from './plan-report.ts'
import { ProgressBar } from './progress-bar.ts'
import { formatCost } from './quantity.ts'
import type { Terminal } from './terminal.ts'

interface PlanOptions {
  readonly profile: string
  readonly trace: string
  readonly slo: number
  readonly percentile?: number
  readonly strategy?: Strategy
  readonly hardware?: string
  readonly maxReplicas?: number
  readonly maxBatch?: number
  readonly cores?: number
  readonly memory?: number
  readonly budget?: number
  readonly tiers?: readonly string[]
  readonly minAccuracy?: number
  readonly out?: string
  readonly frontier?: boolean
  readonly plot?: string
  readonly json?: boolean
}

const example = `
Examples:
  $ millrace plan --profile digits.profile.json --trace trace.json --slo 150 --out plan.json
  $ millrace plan --profile digits.profile.json --trace trace.json --slo 150 --frontier --plot frontier.svg

Latencies are in milliseconds, costs per hour in the currency of the hardware file.
Exit code 3: nothing within the limits meets the objective.`

export function addPlanCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('plan')
    .summary('find the cheapest configuration that meets an objective')
    .description(
      'Finds the cheapest configuration with which a trace meets the objective, and says why it is that one.',
    )
    .requiredOption('--profile <FILE>', 'how long batches take, made by millrace profile')
    .requiredOption('--trace <FILE>', 'when requests arrive')
    .requiredOption(
      '--slo <MS>',
      'latency objective in milliseconds',
      readNumber('--slo', { above: 0 }),
    )
    .option(
      '--percentile <P>',
      'share of the requests that must be within it, in percent (default: 99)',
      readNumber('--percentile', { above: 0, below: 100 }),
    )
    .option(
      '--strategy <NAME>',
      `${strategies.join(', ')} (default: optimal)`,
      readChoice('--strategy', strategies),
    )
    .option('--hardware <FILE>', hardwareHelp)
  addLimits(command)
    .addOption(
      new Option('--out <FILE>', 'where to write the plan').conflicts(['frontier', 'plot']),
    )
    .option('--frontier', 'what stricter and looser objectives cost, instead of one plan')
    .addOption(new Option('--plot <FILE>', 'draw the frontier as SVG').implies({ frontier: true }))
    .option('--json', 'print one JSON document: the plan, or the frontier')
    .addHelpText('after', example)
    .action((options: PlanOptions) => {
      return options.frontier ? printFrontier(options, terminal) : printPlan(options, terminal)
    })
}

function addLimits(command: Command): Command {
  const positive = (name: string) => readNumber(name, { above: 0 })
  const count = (name: string) => readInteger(name, { min: 1 })
  return command
    .option(
      '--max-replicas <N>',
      'replicas of one stage at most (default: 64; where the profile tells of contention, 4 a core)',
      count('--max-replicas'),
    )
    .option(
      '--max-batch <ROWS>',
      'largest batch (default: the largest profiled)',
      count('--max-batch'),
    )
    .option(
      '--cores <N>',
      'cores that busy threads may keep (default: no limit)',
      positive('--cores'),
    )
    .option(
      '--memory <MB>',
      'megabytes of all models and replicas (default: no limit)',
      positive('--memory'),
    )
    .option('--budget <N>', 'cost per hour at most (default: no limit)', positive('--budget'))
    .option('--tiers <NAMES>', 'tiers that may be used (default: all)', readList('--tiers'))
    .option(
      '--min-accuracy <X>',
      'accuracy of the pipeline at least, from 0 to 1 (default: that of the best models)',
      readNumber('--min-accuracy', { min: 0, max: 1 }),
    )
}

async function printPlan(options: PlanOptions, terminal: Terminal): Promise<void> {
  const { planner, trace, objective, limits, hardware } = await readQuestion(options)
  const plan = await watched(terminal, (watch) => {
    return planner.plan(trace, { objective, limits, ...watch })
  })
  if (options.out !== undefined) await writePlan(options.out, plan)
  if (options.json) terminal.printJson(plan)
  else terminal.print(formatPlan(plan, { hardware }))
}

async function printFrontier(options: PlanOptions, terminal: Terminal): Promise<void> {
  const { planner, trace, objective, limits, profile } = await readQuestion(options)
  const { percentile, latencyMs } = objective
  const latenciesMs = latenciesAround(latencyMs)
  const plans = await watched(terminal, (watch) => {
    return planner.frontier(trace, { percentile, latenciesMs, limits, ...watch })
  })
  if (options.plot !== undefined) {
    const title = `${profile.pipeline}: cost of p${percentile} objectives`
    const upToMs = latenciesMs.at(-1) ?? latencyMs
    await writeTextFile(options.plot, await plotFrontier(plans, { title, upToMs }))
  }
  if (options.json) terminal.printJson({ plans })
  else terminal.print(formatFrontier(plans, { latenciesMs }))
}

/** Has something planned while it shows how far that is. */
async function watched<Result>(
  terminal: Terminal,
  plan: (watch: Pick<PlannerQuestion, 'signal' | 'onProgress'>) => Promise<Result>,
): Promise<Result> {
  using bar = new ProgressBar(terminal, '{value} configurations simulated {text}')
  return await plan({
    signal: terminal.signal,
    onProgress: ({ phase, simulated, costPerHour }) => {
      const best = costPerHour === undefined ? '' : `, best ${formatCost(costPerHour)}`
      bar.show({ done: simulated, total: simulated, text: `(${phase}${best})` })
    },
  })
}

interface Question {
  readonly planner: Planner
  readonly profile: Profile
  readonly hardware: Hardware
  readonly trace: Trace
  readonly objective: Objective
  readonly limits: PlanLimits
}

async function readQuestion(options: PlanOptions): Promise<Question> {
  const profile = await readProfile(options.profile)
  const hardware = await readHardwareOption(options.hardware)
  const trace = await Trace.load(options.trace)
  const { slo: latencyMs, percentile = 99, strategy, maxReplicas, maxBatch, cores } = options
  const { memory: memoryMb, budget: budgetPerHour, tiers, minAccuracy } = options
  return {
    planner: new Planner({ profile, hardware, strategy }),
    profile,
    hardware,
    trace,
    objective: { latencyMs, percentile },
    limits: { maxReplicas, maxBatch, cores, memoryMb, budgetPerHour, tiers, minAccuracy },
  }
}
