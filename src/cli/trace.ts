import { type Command, Option } from 'commander'
import { MillraceError } from '../errors.ts'
import { type TraceShape, traceShapes } from '../workload/shapes.ts'
import { Trace } from '../workload/trace.ts'
import { readChoice, readInteger, readNumber } from './option-value.ts'
import type { Terminal } from './terminal.ts'
import { formatTrace } from './trace-report.ts'

interface TraceOptions {
  readonly in?: string
  readonly rate?: number
  readonly duration?: number
  readonly cv2?: number
  readonly seed?: number
  readonly shape?: TraceShape
  readonly fromRate?: number
  readonly transition?: number
  readonly out?: string
  readonly json?: boolean
}

const generating = ['rate', 'duration', 'cv2', 'seed', 'shape', 'fromRate', 'transition']

const example = `
Examples:
  $ millrace trace --rate 150 --cv2 4 --duration 60 --seed 1 --out trace.json
  $ millrace trace --shape big-spike --rate 300 --duration 1800 --out spike.json
  $ millrace trace --in trace.json

The same options give the same file, byte for byte. Rates are requests per second; files hold milliseconds.`

export function addTraceCommand(program: Command, terminal: Terminal): void {
  program
    .command('trace')
    .summary('make a trace of arrivals, or look at one')
    .description(
      'Makes a trace: when requests arrive. Or, with --in, says what there is to say of one.',
    )
    .option(
      '--rate <N>',
      'requests per second: the mean, or the peak of a shape',
      readNumber('--rate', { above: 0 }),
    )
    .option('--duration <S>', 'seconds', readNumber('--duration', { above: 0 }))
    .option(
      '--cv2 <N>',
      'squared coefficient of variation of the gaps: 0 even, 1 Poisson, 4 bursty (default: 1)',
      readNumber('--cv2', { min: 0, max: 1000 }),
    )
    .option(
      '--seed <N>',
      'which trace of all those there are (default: 1)',
      readInteger('--seed', { min: 0 }),
    )
    .option(
      '--shape <NAME>',
      `how the rate changes: ${traceShapes.join(', ')}`,
      readChoice('--shape', traceShapes),
    )
    .option(
      '--from-rate <N>',
      'of the shape ramp: requests per second at its start',
      readNumber('--from-rate', { min: 0 }),
    )
    .option(
      '--transition <S>',
      'of the shape ramp: seconds from one rate to the other',
      readNumber('--transition', { min: 0 }),
    )
    .addOption(
      new Option('--in <FILE>', 'an existing trace, instead of a new one').conflicts(generating),
    )
    .option('--out <FILE>', 'where to write the trace')
    .option('--json', 'print one JSON document: where it came from, and its statistics')
    .addHelpText('after', example)
    .action(async (options: TraceOptions) => {
      const trace = await makeOrLoad(options)
      if (options.out !== undefined) await trace.save(options.out)
      const report = { meta: trace.meta, stats: trace.stats() }
      if (options.json) terminal.printJson(report)
      else terminal.print(formatTrace(report))
    })
}

async function makeOrLoad(options: TraceOptions): Promise<Trace> {
  if (options.in !== undefined) return Trace.load(options.in)
  const { shape, cv2, seed, fromRate, transition } = options
  required(options.out, '--out FILE')
  const ratePerS = required(options.rate, '--rate N')
  const durationMs = required(options.duration, '--duration S') * 1000
  const common = { ratePerS, durationMs, cv2, seed }
  if (shape !== undefined) {
    const transitionMs = transition === undefined ? undefined : transition * 1000
    return Trace.shaped({ shape, ...common, fromRatePerS: fromRate, transitionMs })
  }
  const given = fromRate === undefined ? transition && '--transition' : '--from-rate'
  if (given)
    throw invalid(`${given}: expected only with --shape ramp; leave it out, or give the shape`)
  return Trace.gamma(common)
}

function required<Value>(value: Value | undefined, option: string): Value {
  if (value !== undefined) return value
  throw invalid(
    `required option ${option} is missing; give it, or --in FILE to look at an existing trace`,
  )
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
