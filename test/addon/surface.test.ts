// src/native/addon.ts and simulator.ts promise what the addon exports; the C++ sources hold the numbers it repeats.
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { inlineBytes, outcomes, priorityClasses, refusals } from '../../src/native/addon.ts'
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
    const [, body = ''] =
      /enum class Outcome[^{]*\{([^}]*)\}/.exec(text('native/engine/settlement.h')) ?? []
    const names = [...body.matchAll(/k([A-Z]\w*)/g)].map(([, name = '']) => name)
    const wanted = Object.entries(outcomes).map(([name, value]) => [capital(name), value])
    expect(names.map((name, value) => [name, value])).toEqual([['Pending', 0], ...wanted])
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

/** The value of `constexpr TYPE NAME = 16 * 1024;` or of one number. */
function constantOf(source: string, name: string): number {
  const [, value = ''] = new RegExp(`\\b${name} =\\s+([-\\d *]+);`).exec(source) ?? []
  return value.split('*').reduce((product, factor) => product * Number(factor), 1)
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
