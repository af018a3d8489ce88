// What docstrings of public symbols have to say. Whether it is true no machine can judge; that it is there, this one does.
import type { PublicSymbol } from './public-symbols.ts'

/** Symbols without a docstring; parameters whose type is public may do without. */
export function undocumented(symbols: readonly PublicSymbol[]): readonly string[] {
  return names(
    symbols.filter(({ text, kind, isOfPublicType }) => {
      return text === '' && !(kind === 'parameter' && isOfPublicType)
    }),
  )
}

const emptyWords = /^(a|an|the|of|for|its|is|this|that|to|it|which|each|as)$/

/** Docstrings that say nothing but the name again. */
export function saysOnlyItsName(symbols: readonly PublicSymbol[]): readonly string[] {
  return names(
    symbols.filter(({ name, text }) => {
      if (text === '') return false
      const known = new Set(wordsOf(name))
      return wordsOf(text).every((word) => emptyWords.test(word) || known.has(word))
    }),
  )
}

function wordsOf(text: string): readonly string[] {
  const words = text.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.match(/[a-z]+/g) ?? []
}

/** Destructured parameters that no @param names: editors show what nobody wrote. */
export function namelessParameters(symbols: readonly PublicSymbol[]): readonly string[] {
  return names(symbols.filter(({ name }) => name.includes('__namedParameters')))
}

const ofOptions = /(Options|Limits)\b/
const saysDefault = /\bdefault|\beither this or\b/i
const saysWithout = /\b(default|undefined|absent|left out|without)\b/i

/** What may be left out or undefined, and does not say what that means; options have to say their default. */
export function withoutDefault(symbols: readonly PublicSymbol[]): readonly string[] {
  return names(
    symbols.filter(({ name, kind, text, mayBeAbsent, mayBeNull, isOfPublicType }) => {
      // Of options objects as a whole nothing is to be said: their members have their defaults.
      if (text === '' || (kind === 'parameter' && isOfPublicType)) return false
      if (mayBeNull && !/\bnull\b/.test(text)) return true
      const [owner = ''] = name.split('.')
      const mustSay = ofOptions.test(owner) || kind === 'parameter' ? saysDefault : saysWithout
      return mayBeAbsent && !mustSay.test(text)
    }),
  )
}

const unitOfName = /(Ms|Ns|PerS|PerHour|Bytes|Mb|Watts|Percent)$/
const countOfName =
  /(^|[a-z])([Rr]eplicas|[Rr]ows|[Bb]atches|[Rr]equests|[Tt]hreads|[Cc]ores|[Rr]uns|[Ee]lements|[Ss]tatus)$/
const unitOfText = new RegExp(
  `\\b(${[
    '(milli|nano)?seconds?|ms|bytes|megabytes|percent|currency|degrees|standard deviations',
    'from -?\\d[\\d,]* (to|on)|from \\d+|share|factor|ratio|how many( times)?|number of|times as|integer',
    'rows?|items?|requests?|replicas?|threads?|cores?|batch(es)?|arrivals?|visits|elements?|bounds?',
    'dimensions?|sizes|in the unit of|squared|HTTP status|bits|index',
  ].join('|')})\\b`,
  'i',
)

/** Numbers that say their unit neither by their name nor in their docstring. */
export function withoutUnit(symbols: readonly PublicSymbol[]): readonly string[] {
  return names(
    symbols.filter(({ name, kind, text, isNumber, isOfPublicType }) => {
      if (!isNumber || (kind === 'parameter' && isOfPublicType)) return false
      const own = name.replace(/\)$/, '').split(/[.(]/).at(-1) ?? ''
      return !unitOfName.test(own) && !countOfName.test(own) && !unitOfText.test(text)
    }),
  )
}

const saysNever = /\bnever\s+(throws|rejects)\b|\brejects with\b|^As \w+\b/im

/** Functions, constructors that take something, and methods that promise, which do not say how they fail. */
export function withoutThrows(symbols: readonly PublicSymbol[]): readonly string[] {
  return names(
    symbols.filter(({ kind, text, throws, returnsPromise, parameters }) => {
      const mayFail =
        kind === 'function' ||
        (kind === 'constructor' && parameters > 0) ||
        (kind === 'method' && returnsPromise)
      return mayFail && throws === '' && !saysNever.test(text)
    }),
  )
}

const codes = /\bMILLRACE_[A-Z_]+/g

/** Codes of errors that docstrings name and nothing throws. */
export function unknownCodes(
  symbols: readonly PublicSymbol[],
  known: readonly string[],
): readonly string[] {
  return symbols.flatMap(({ name, text, throws }) => {
    const named = `${text} ${throws}`.match(codes) ?? []
    return named.filter((code) => !known.includes(code)).map((code) => `${name}: ${code}`)
  })
}

/** Codes of errors that no @throws names. */
export function unnamedCodes(
  symbols: readonly PublicSymbol[],
  known: readonly string[],
): readonly string[] {
  const named = new Set(symbols.flatMap(({ throws }) => throws.match(codes) ?? []))
  return known.filter((code) => !named.has(code))
}

/** What is of a paper, and the part of the paper that it is of. */
export const ALGORITHMS: Readonly<Record<string, RegExp>> = {
  Profiler: /InferLine.*section 4\.1/s,
  Estimator: /InferLine.*section 4\.2/s,
  'EstimatorOptions.serviceTimes': /InferLine.*section 4\.2/s,
  Planner: /InferLine.*section 4\.3/s,
  Strategy: /InferLine.*section 4\.3.*section 6/s,
  Tuning: /InferLine.*section 5/s,
  Tuner: /InferLine.*section 5/s,
  TunerMethod: /InferLine.*section 5/s,
  envelopeWindowsMs: /InferLine.*section 5/s,
  'Trace.envelope': /InferLine.*section 5/s,
  'Trace.gamma': /InferLine.*section 6/s,
  TraceShape: /Gandhi.*TOCS 2012/s,
}

/** Algorithms whose docstring does not name the paper and the section that they are of. */
export function withoutSource(
  symbols: readonly PublicSymbol[],
  algorithms: Readonly<Record<string, RegExp>>,
): readonly string[] {
  return Object.entries(algorithms)
    .filter(([name, source]) => {
      return !symbols.some((symbol) => symbol.name === name && source.test(symbol.text))
    })
    .map(([name]) => name)
}

function names(symbols: readonly PublicSymbol[]): readonly string[] {
  return symbols.map(({ name }) => name)
}
