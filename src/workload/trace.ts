import {
  checkNumber,
  checkObject,
  checkOneOf,
  checkRecord,
  checkString,
  describe,
} from '../check.ts'
import { MillraceError } from '../errors.ts'
import { type Arrivals, arrivalFault, durationFault } from './arrivals.ts'
import { type EnvelopePoint, envelope, envelopeWindowsMs } from './envelope.ts'
import { generateGamma, generateOfRates, generateShaped } from './generate.ts'
import { atRate, slice } from './resample.ts'
import type { GammaTraceOptions, RatesTraceOptions, ShapedTraceOptions } from './trace-options.ts'
import { readTrace } from './trace-reader.ts'
import { type TraceStats, traceStats } from './trace-stats.ts'
import { formatOf, type TraceFormat, traceFormats, writeTrace } from './trace-writer.ts'

/** What a trace is made of. */
export interface TraceOptions {
  /** Milliseconds from the start: finite, not negative, ascending; at least one. Copied. */
  readonly arrivalsMs: ArrayLike<number>
  /**
   * How it was made; anything JSON holds, copied. A `durationMs` in it is how long the trace lasts, at least to its last
   * arrival. Default {}.
   */
  readonly meta?: Readonly<Record<string, unknown>> | undefined
}

/** How a trace is saved. */
export interface SaveTraceOptions {
  /**
   * `'json'`: one document with everything. `'lines'`: a number a line, without `meta`. Default: by the name, lines for
   * .ndjson, .jsonl and .txt, else JSON.
   */
  readonly format?: TraceFormat | undefined
}

const defaultFirstWindowMs = 10

/** When requests arrive. Never empty, and never changed. */
export class Trace implements Arrivals {
  /** Milliseconds from the start, ascending, not negative. Not to be written to. */
  readonly arrivalsMs: Float64Array
  /** How it was made; anything JSON holds. */
  readonly meta: Readonly<Record<string, unknown>>

  /**
   * A trace of arrivals that are known, such as those that {@link Engine.recordArrivals} gives.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  constructor(options: TraceOptions) {
    const given = checkObject(options, { name: 'trace options', keys: ['arrivalsMs', 'meta'] })
    this.arrivalsMs = checkArrivals(given.arrivalsMs)
    this.meta = checkMeta(given.meta)
    const problem = durationFault(this)
    if (problem !== undefined) throw invalid(`meta.durationMs: ${problem}`)
  }

  /**
   * Reads a trace that {@link save} wrote, or one with a number or `{"arrivalMs": number}` on each line. Up to 2 GiB.
   *
   * @param path The file, as `node:fs` takes it.
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_FILE; MILLRACE_INVALID_OPTION where `path` is no text
   */
  static async load(path: string): Promise<Trace> {
    return new Trace(await readTrace(checkString(path, { name: 'path' })))
  }

  /**
   * Requests whose gaps are gamma distributed, at one rate: a renewal process of shape 1/cv2, as "InferLine" has it (SoCC
   * 2020, section 6). The same options give the same trace on every machine.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  static gamma(options: GammaTraceOptions): Trace {
    return new Trace(generateGamma(options))
  }

  /**
   * Requests at a rate that changes as one of {@link traceShapes}: as {@link gamma}, on a clock that runs as fast as the
   * rate says, so that bursts stay bursts.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  static shaped(options: ShapedTraceOptions): Trace {
    return new Trace(generateShaped(options))
  }

  /**
   * Requests at a rate given by points, in the way of {@link shaped}.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  static ofRates(options: RatesTraceOptions): Trace {
    return new Trace(generateOfRates(options))
  }

  /** Milliseconds that it lasts: what `meta.durationMs` says, else up to the last arrival. */
  get durationMs(): number {
    const { durationMs } = this.meta
    return typeof durationMs === 'number' ? durationMs : (this.arrivalsMs.at(-1) ?? 0)
  }

  /**
   * Writes it to a file, wholly or not at all. Makes no directories.
   *
   * @param path The file, as `node:fs` takes it.
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION, MILLRACE_INVALID_FILE where it cannot be written
   */
  async save(path: string, options: SaveTraceOptions = {}): Promise<void> {
    const target = checkString(path, { name: 'path' })
    const given = checkObject(options, { name: 'save options', keys: ['format'] })
    const { format = formatOf(target) } = given
    const choice = checkOneOf(format, { name: 'format', choices: traceFormats })
    await writeTrace(target, { arrivals: this, format: choice })
  }

  /** What to say of it: rate, burstiness, dispersion, peaks. */
  stats(): TraceStats {
    return traceStats(this.arrivalsMs, this.durationMs)
  }

  /**
   * The traffic envelope ("InferLine", SoCC 2020, section 5): the most arrivals in any window of each length, exactly.
   * Windows begin anywhere, and hold their beginning and not their end.
   *
   * @param windowsMs Milliseconds of each, above 0. Default: 10 ms and its doubles up to one minute;
   * {@link envelopeWindowsMs} makes others.
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  envelope(
    windowsMs: readonly number[] = envelopeWindowsMs(defaultFirstWindowMs),
  ): readonly EnvelopePoint[] {
    return envelope(this.arrivalsMs, checkWindows(windowsMs))
  }

  /**
   * The arrivals from one time on and before another, as a trace of its own that begins at 0. Times are rounded to a
   * nanosecond.
   *
   * @param fromMs Milliseconds from the start, at least 0.
   * @param toMs Milliseconds from the start, above `fromMs`. Default: to the end, the last arrival included.
   * @throws {MillraceError} MILLRACE_INVALID_OPTION, also where no request arrives then
   */
  slice(fromMs: number, toMs: number = this.durationMs): Trace {
    const from = checkNumber(fromMs, { name: 'fromMs', min: 0 })
    const to = checkNumber(toMs, { name: 'toMs', above: from })
    return new Trace(slice(this, { fromMs: from, toMs: to, durationMs: this.durationMs }))
  }

  /**
   * The same requests, slower or faster: all times are stretched alike, so that the trace has this rate and its burstiness
   * stays. Times are rounded down to a microsecond.
   *
   * @param ratePerS Requests per second, above 0.
   * @throws {MillraceError} MILLRACE_INVALID_OPTION, also where all requests arrive at time 0
   */
  atRate(ratePerS: number): Trace {
    const rate = checkNumber(ratePerS, { name: 'ratePerS', above: 0 })
    return new Trace(atRate(this, { ratePerS: rate, durationMs: this.durationMs }))
  }
}

function checkArrivals(value: unknown): Float64Array {
  if (!isList(value) || value.length === 0) {
    const got = describe(value)
    throw invalid(`arrivalsMs: expected an array of at least one number, got ${got}; give one`)
  }
  let beforeMs = 0
  for (let index = 0; index < value.length; index++) {
    const problem = arrivalFault(value[index], beforeMs)
    if (problem !== undefined) throw invalid(`arrivalsMs[${index}]: ${problem}`)
    beforeMs = value[index] as number
  }
  return new Float64Array(value as ArrayLike<number>)
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
}

function checkMeta(value: unknown = {}): Readonly<Record<string, unknown>> {
  const given = checkRecord(value, { name: 'meta' })
  try {
    return Object.freeze(JSON.parse(JSON.stringify(given)) as Record<string, unknown>)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalid(`meta: expected what JSON can hold, got what it cannot: ${reason}; leave it out`)
  }
}

function checkWindows(value: unknown): readonly number[] {
  if (!Array.isArray(value)) {
    throw invalid(`windowsMs: expected an array of numbers, got ${describe(value)}; give one`)
  }
  return value.map((windowMs: unknown, index) =>
    checkNumber(windowMs, { name: `windowsMs[${index}]`, above: 0 }),
  )
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
