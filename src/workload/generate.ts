import { MillraceError } from '../errors.ts'
import type { Arrivals } from './arrivals.ts'
import { gammaArrivals } from './gamma-arrivals.ts'
import { Random } from './random.ts'
import { RateCurve, type RatePoint } from './rate-curve.ts'
import { shapePoints } from './shapes.ts'
import {
  checkGammaOptions,
  checkRatesOptions,
  checkShapedOptions,
  type GammaTraceOptions,
  mostArrivals,
  type RatesTraceOptions,
  type ShapedTraceOptions,
} from './trace-options.ts'

type Shaped = ReturnType<typeof checkShapedOptions>

const gapStream = 0
const shapeStream = 1

export function generateGamma(options: GammaTraceOptions): Arrivals {
  const given = checkGammaOptions(options)
  const points = [{ atMs: 0, ratePerS: given.ratePerS }]
  return generate(points, { process: 'gamma', ...given })
}

export function generateShaped(options: ShapedTraceOptions): Arrivals {
  const given = checkShapedOptions(options)
  return generate(pointsOf(given), { process: 'shaped', ...given })
}

export function generateOfRates(options: RatesTraceOptions): Arrivals {
  const given = checkRatesOptions(options)
  return generate(given.points, { process: 'rates', ...given })
}

interface Meta extends Readonly<Record<string, unknown>> {
  readonly cv2: number
  readonly durationMs: number
  readonly seed: number
}

function generate(points: readonly RatePoint[], meta: Meta): Arrivals {
  const curve = new RateCurve(points, meta.durationMs)
  if (curve.requests > mostArrivals) throw tooMany(curve.requests)
  const random = new Random({ seed: meta.seed, stream: gapStream })
  const arrivalsMs = gammaArrivals({ curve, cv2: meta.cv2, random })
  if (arrivalsMs.length === 0) throw none(curve)
  return { arrivalsMs, meta }
}

function pointsOf(given: Shaped): readonly RatePoint[] {
  const { ratePerS, durationMs, seed } = given
  if (given.shape === 'ramp') return ramp(given)
  const random = new Random({ seed, stream: shapeStream })
  return shapePoints({ shape: given.shape, durationMs, random }).map(({ atMs, level }) => ({
    atMs,
    ratePerS: level * ratePerS,
  }))
}

function ramp(given: Extract<Shaped, { shape: 'ramp' }>): readonly RatePoint[] {
  const { fromRatePerS, ratePerS, transitionMs, durationMs } = given
  const startMs = (durationMs - transitionMs) / 2
  return [
    { atMs: startMs, ratePerS: fromRatePerS },
    { atMs: startMs + transitionMs, ratePerS },
  ]
}

function tooMany(requests: number): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `rate and duration: expected at most ${mostArrivals} arrivals, got about ${Math.round(requests)}; lower one of the two`,
  })
}

function none({ requests, durationMs }: RateCurve): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `rate and duration: expected at least one arrival, got none of about ${Number(requests.toPrecision(3))} in ${durationMs} ms; raise one of the two, or give another seed`,
  })
}
