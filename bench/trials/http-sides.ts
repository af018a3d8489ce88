/** Servers compared under the same load from another process, in turns. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpLoadOptions, HttpLoadReport } from '../load/http-load.ts'
import { callInFreshProcess } from './fresh-process.ts'
import { median, rounded } from './rounds.ts'

export type HttpSide = Omit<HttpLoadOptions, 'durationMs' | 'bodyFile'> & {
  body: string | Uint8Array
}

export type HttpRounds = { rounds: number; durationMs: number }

export type HttpFigures = { requestsPerS: number; p99Ms: number; rounds: HttpLoadReport[] }

const module = new URL('../load/http-load.ts', import.meta.url).href

/** Each side once a round, in an order that turns, after one round that only warms up; medians over the rounds. */
export async function compareServers<Name extends string>(
  sides: Record<Name, HttpSide>,
  { rounds, durationMs }: HttpRounds,
): Promise<Record<Name, HttpFigures>> {
  const names = Object.keys(sides) as Name[]
  const reports = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    HttpLoadReport[]
  >
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  for (const name of names) writeFileSync(join(folder, name), sides[name].body)
  for (let round = -1; round < rounds; round++) {
    const turned = names.map((_, index) => names[(index + round + 1) % names.length] as Name)
    for (const name of turned) {
      const report = await load({
        ...withoutBody(sides[name]),
        bodyFile: join(folder, name),
        durationMs,
      })
      if (round >= 0) reports[name].push(report)
    }
    const latest = names.map((name) => {
      const last = reports[name].at(-1)
      return last === undefined
        ? ''
        : `${name} ${rounded(last.requestsPerS)}/s p99 ${rounded(last.p99Ms)} ms`
    })
    if (round >= 0) console.error(`  round ${round + 1} of ${rounds}: ${latest.join(', ')}`)
  }
  rmSync(folder, { recursive: true })
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        requestsPerS: median(reports[name].map((report) => report.requestsPerS)),
        p99Ms: median(reports[name].map((report) => report.p99Ms)),
        rounds: reports[name],
      },
    ]),
  ) as Record<Name, HttpFigures>
}

function withoutBody({ body: _body, ...side }: HttpSide): Omit<HttpSide, 'body'> {
  return side
}

async function load(argument: HttpLoadOptions): Promise<HttpLoadReport> {
  const report = (await callInFreshProcess({
    module,
    export: 'httpLoad',
    argument,
  })) as HttpLoadReport
  const failed = Object.keys(report.statuses).filter((status) => status !== '200')
  if (failed.length > 0) throw new Error(`${JSON.stringify(report.statuses)}: ${report.sample}`)
  return report
}
