import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { Engine } from '../../src/engine/engine.ts'
import { observeMetrics } from '../../src/observe/observe-metrics.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import { modelFile } from '../engine/pipelines.ts'
import { readExposition, type Series } from './exposition.ts'

const file = (name: string) =>
  readFileSync(new URL(`../../profiles/prometheus/${name}`, import.meta.url), 'utf8')

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const dashboard = JSON.parse(file('dashboard.json')) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}
const alerts = parse(file('alerts.yaml')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
}
const rules = alerts.groups.flatMap((group) => group.rules)
const recorded = rules.flatMap(({ record }) => record ?? [])

// What a query names besides metrics: functions and words of the language.
const words = new Set(
  'sum min max avg by rate histogram_quantile clamp_max and or unless on without'.split(' '),
)
/** Labels that Prometheus adds as it scrapes. */
const added = ['job', 'instance']

/** Names of series and of labels in a query. */
function namesIn(query: string) {
  const matchers = [...query.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].map(
      ([, label = '', value = '']) => ({ label, value }),
    ),
  )
  const groups = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  )
  const rest = query.replace(/\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)|"[^"]*"/g, ' ')
  const names = [...rest.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*/g)].map(([name]) => name)
  return { matchers, groups, series: names.filter((name) => !words.has(name)) }
}

const pipeline = definePipeline({
  name: 'watched',
  objective: { latencyMs: 1_000 },
  stages: {
    same: onnx(modelFile('identity-float32'), {
      inputs: { x: 'request.x' },
      cache: { maxBytes: 10_000 },
    }),
  },
  outputs: { y: 'same.y' },
})

describe('the dashboard and the alerts', () => {
  let exported: readonly Series[]
  let close: () => Promise<void>
  beforeAll(async () => {
    const engine = await Engine.start(pipeline)
    close = () => engine.close()
    const { registry } = observeMetrics(engine)
    await engine.infer({ x: new Float32Array(4) })
    const families = readExposition(await registry.metrics())
    exported = [...families.values()].flatMap(({ series }) => series)
  })
  afterAll(() => close())

  const queries = [
    ...dashboard.panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => [`the panel "${title}"`, expr] as const),
    ),
    ...rules.map(({ alert, record, expr }) => [`the rule ${alert ?? record}`, expr] as const),
  ]

  it.each(queries)('name only what a live engine exports: %s', (_, query) => {
    const { series, matchers, groups } = namesIn(query)
    expect(series.length).toBeGreaterThan(0)
    const labels = new Set(added)
    for (const name of series) {
      if (recorded.includes(name)) continue
      const found = exported.filter((one) => one.name === name)
      expect(found.length, name).toBeGreaterThan(0)
      for (const one of found) for (const label of Object.keys(one.labels)) labels.add(label)
      for (const { label, value } of matchers) {
        const values = found.map((one) => one.labels[label])
        expect(values, `${name}, ${label}`).not.toContain(undefined)
        if (!value.startsWith('$')) expect(values, `${name}, ${label}`).toContain(value)
      }
    }
    for (const label of groups) expect([...labels], query).toContain(label)
  })

  it.each(queries)('close every bracket they open: %s', (_, query) => {
    const open: string[] = []
    const pairs: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }
    for (const one of query.replace(/"[^"]*"/g, '')) {
      if ('([{'.includes(one)) open.push(one)
      else if (one in pairs) expect(open.pop(), query).toBe(pairs[one])
    }
    expect(open).toEqual([])
  })

  it('use every metric but those that only some pipelines have', () => {
    const used = new Set(
      queries.flatMap(([, query]) =>
        namesIn(query).series.map((name) => name.replace(/_(bucket|sum|count)$/, '')),
      ),
    )
    const all = new Set(exported.map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')))
    const unused = [...all].filter((name) => !used.has(name))
    expect(unused).toEqual(['millrace_stage_cache_evictions_total', 'millrace_stage_cache_bytes'])
  })
})

describe('the dashboard', () => {
  it('has panels of their own that do not overlap, within its 24 columns', () => {
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24)
      return Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`)
    })
    expect(new Set(cells).size).toBe(cells.length)
  })

  it('has the variables that its queries use', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'pipeline'])
  })
})

describe('the alerts', () => {
  it('say how grave they are, in words for people', () => {
    for (const { alert, labels, annotations } of rules.filter((rule) => rule.alert !== undefined)) {
      expect(['warning', 'critical'], alert).toContain(labels?.['severity'])
      expect(annotations?.['summary'], alert).toContain('{{ $labels.pipeline }}')
      expect(annotations?.['description'], alert).toMatch(/\.$/)
    }
  })

  it('are those that the README explains', () => {
    const readme = file('README.md')
    const named = [...readme.matchAll(/^\| `(Millrace\w+)`/gm)].map(([, name]) => name)
    expect(named).toEqual(rules.flatMap(({ alert }) => alert ?? []))
  })

  it('record each ratio before an alert needs it', () => {
    for (const [index, { expr }] of rules.entries()) {
      for (const name of namesIn(expr).series.filter((one) => one.includes(':'))) {
        expect(
          rules.slice(0, index).some(({ record }) => record === name),
          name,
        ).toBe(true)
      }
    }
  })
})
