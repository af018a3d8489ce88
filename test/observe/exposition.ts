// A reader of the Prometheus text format 0.0.4 that takes nothing else: what it cannot read is an error.

export interface Family {
  readonly type: string
  readonly help: string
  readonly series: Series[]
}

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const helpLine = new RegExp(`^# HELP (${metricName}) (.+)$`)
const typeLine = new RegExp(`^# TYPE (${metricName}) (counter|gauge|histogram|summary|untyped)$`)
const seriesLine = new RegExp(`^(${metricName})(?:\\{(.*)\\})? ([^ ]+)$`)
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y

/** Every metric of a text by its name, with what belongs to it; throws where a line breaks the rules. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the text must end with a line feed')
  const families = new Map<string, Family>()
  const helps = new Map<string, string>()
  const seen = new Set<string>()
  let current: readonly [string, Family] | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const help = helpLine.exec(line)
    const type = typeLine.exec(line)
    if (help) helps.set(help[1] as string, help[2] as string)
    else if (type) {
      const name = type[1] as string
      if (families.has(name)) throw new Error(`${name} has two TYPE lines`)
      current = [name, { type: type[2] as string, help: helps.get(name) ?? '', series: [] }]
      families.set(...current)
    } else {
      const series = readSeries(line)
      if (current === undefined || !belongs(series.name, current))
        throw new Error(`no TYPE before: ${line}`)
      const key = JSON.stringify([series.name, Object.entries(series.labels).toSorted()])
      if (seen.has(key)) throw new Error(`twice: ${line}`)
      seen.add(key)
      current[1].series.push(series)
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkBuckets(name, family)
  return families
}

/** The one value of a series, by its name and some of its labels. */
export function seriesValue(
  families: ReadonlyMap<string, Family>,
  [name, labels]: readonly [name: string, labels: Readonly<Record<string, string>>],
): number | undefined {
  const all = [...families.values()].flatMap(({ series }) => series)
  const found = all.filter(
    (series) =>
      series.name === name &&
      Object.entries(labels).every(([label, value]) => series.labels[label] === value),
  )
  if (found.length > 1) throw new Error(`${name}: ${found.length} series fit`)
  return found[0]?.value
}

function readSeries(line: string): Series {
  const match = seriesLine.exec(line)
  if (match === null) throw new Error(`not a series: ${line}`)
  const [, name = '', labels = '', value = ''] = match
  return { name, labels: readLabels(labels), value: readValue(value) }
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPattern.lastIndex = 0
  while (labelPattern.lastIndex < text.length) {
    const match = labelPattern.exec(text)
    if (match === null) throw new Error(`not labels: ${text}`)
    const [, name = '', value = ''] = match
    if (Object.hasOwn(labels, name)) throw new Error(`label ${name} twice: ${text}`)
    labels[name] = value.replace(/\\(["\\n])/g, (_, c) => (c === 'n' ? '\n' : c))
  }
  return labels
}

function readValue(text: string): number {
  if (/^[+-]Inf$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  const value = Number(text)
  if (Number.isNaN(value) && text !== 'NaN') throw new Error(`not a value: ${text}`)
  return value
}

function belongs(name: string, [family, { type }]: readonly [string, Family]): boolean {
  if (type !== 'histogram') return name === family
  return ['_bucket', '_sum', '_count'].some((suffix) => name === family + suffix)
}

/** Buckets ascend in bound and count, the last is +Inf and equals _count, and _sum is there. */
function checkBuckets(name: string, { series }: Family): void {
  const groups = new Map<string, Series[]>()
  for (const one of series) {
    const { le: _, ...labels } = one.labels
    const key = JSON.stringify(Object.entries(labels).toSorted())
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => readValue(labels['le'] ?? ''))
    const counts = buckets.map(({ value }) => value)
    const count = group.find((one) => one.name === `${name}_count`)?.value
    const sum = group.find((one) => one.name === `${name}_sum`)?.value
    const ascends = (list: readonly number[]) =>
      list.every((value, index) => index === 0 || value >= (list[index - 1] ?? 0))
    const fine = ascends(bounds) && ascends(counts) && bounds.at(-1) === Infinity
    if (!fine || counts.at(-1) !== count || sum === undefined) {
      throw new Error(`${name} ${key}: not a histogram: ${JSON.stringify(group)}`)
    }
  }
}
