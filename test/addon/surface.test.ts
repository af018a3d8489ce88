// src/native/addon.ts and simulator.ts promise what the addon exports; the C++ sources hold the numbers it repeats.
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import {
  inlineBytes,
  outcomes,
  priorityClasses,
  recordVisits,
  refusals,
  visitStates,
  visitsFollow,
} from '../../src/native/addon.ts'
import { loadAddon } from '../../src/native/load.ts'

const root = new URL('../../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')
const declared = ['src/native/addon.ts', 'src/native/simulator.ts'].map((path) =>
  ts.createSourceFile(path, text(path), ts.ScriptTarget.Latest),
)

const classes = [
  'NativeModel',
  'NativeEngine',
  'NativeFunction',
  'NativePort',
  'NativeSimulator',
  'NativeSimulation',
] as const

describe('the addon', () => {
  const addon = loadAddon()

  it('exports what is declared', () => {
    expect(Object.keys(addon).sort()).toEqual(membersOf('Addon'))
  })

  it.each(classes)('has the members declared: %s', (name) => {
    const members = Object.getOwnPropertyNames(addon[name].prototype)
    expect(members.filter((member) => member !== 'constructor').sort()).toEqual(membersOf(name))
  })

  it.each(classes)('alone makes objects: %s', (name) => {
    const Class = addon[name] as unknown as new () => unknown
    expect(() => new Class()).toThrow(TypeError)
  })
})

describe('a number that both sides know', () => {
  const engine = text('native/addon/native_engine.cc')

  it.each(Object.entries(refusals))('is the same: refusal %s', (name, value) => {
    expect(constantOf(engine, `k${capital(name)}`)).toBe(value)
  })

  it('is the same: how requests end', () => {
    const wanted = Object.entries(outcomes).map(([name, value]) => [capital(name), value])
    const names = namesIn(text('native/engine/settlement.h'), 'Outcome')
    expect(names.map((name, value) => [name, value])).toEqual([['Pending', 0], ...wanted])
  })

  it('is the same: what became of a row at a stage', () => {
    const wanted = Object.entries(visitStates).map(([name, value]) => [capital(name), value])
    const names = namesIn(text('native/engine/visits.h'), 'VisitState')
    expect(names.map((name, value) => [name, value])).toEqual([['None', 0], ...wanted])
  })

  it('is the same: what says that visits are recorded', () => {
    expect(constantOf(engine, 'kRecordVisits')).toBe(recordVisits)
    expect(constantOf(text('native/addon/result_writer.cc'), 'kVisitsFollow')).toBe(visitsFollow)
  })

  it('is the same: the numbers of a visit', () => {
    const reader = text('src/engine/visits.ts')
    const [, head = ''] = /headNumbers = (\d+)/.exec(reader) ?? []
    const [, visit = ''] = /visitNumbers = (\d+)/.exec(reader) ?? []
    const writer = text('native/addon/visits_writer.cc')
    expect(constantOf(writer, 'kHeadNumbers')).toBe(Number(head))
    expect(constantOf(writer, 'kVisitNumbers')).toBe(Number(visit))
  })

  it('is the same: bytes of an output that comes through shared memory', () => {
    expect(constantOf(text('native/addon/result_writer.h'), 'kInlineBytes')).toBe(inlineBytes)
  })

  it('is the same: words of a head', () => {
    const [, words = ''] = /headWords = (\d+)/.exec(text('src/engine/result-reader.ts')) ?? []
    expect(constantOf(text('native/addon/result_writer.cc'), 'kHeadWords')).toBe(Number(words))
  })

  it('is the same: priority classes', () => {
    const sources = ['native/batching/policy.h', 'native/engine/stage_queue.h'].map(text).join('\n')
    expect(constantOf(sources, 'kPriorityClasses')).toBe(priorityClasses.length)
  })
})

/** The names of the members of a declared interface, sorted. */
function membersOf(name: string): string[] {
  return declared
    .flatMap((file) => file.statements.map((statement) => ({ file, statement })))
    .flatMap(({ file, statement }) =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name
        ? statement.members.map((member) => member.name?.getText(file) ?? '?')
        : [],
    )
    .sort()
}

/** The names of a C++ enumeration, in their order. */
function namesIn(source: string, name: string): string[] {
  const [, body = ''] = new RegExp(`enum class ${name}[^{]*\\{([^}]*)\\}`).exec(source) ?? []
  const code = body.replace(/\/\/.*/g, '')
  return [...code.matchAll(/k([A-Z]\w*)/g)].map(([, word = '']) => word)
}

/** The value of `constexpr TYPE NAME = 16 * 1024;` or of one number. */
function constantOf(source: string, name: string): number {
  const [, value = ''] = new RegExp(`\\b${name} =\\s+([-\\d *]+);`).exec(source) ?? []
  return value.split('*').reduce((product, factor) => product * Number(factor), 1)
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
