// The API reference: made as `npm run docs` makes it, and held against what docstrings have to say. Each rule is checked
// twice: that the public doors keep it, and that it would be noticed if they did not.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readReference } from '../../scripts/docs/reference.mjs'
import { errorTable } from '../../src/errors.ts'
import {
  ALGORITHMS,
  namelessParameters,
  saysOnlyItsName,
  undocumented,
  unknownCodes,
  unnamedCodes,
  withoutDefault,
  withoutSource,
  withoutThrows,
  withoutUnit,
} from '../architecture/documentation.ts'
import { type PublicSymbol, publicSymbols } from '../architecture/public-symbols.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = join(root, 'test', 'architecture', 'fixtures')
const codes = Object.keys(errorTable)

let reference: Awaited<ReturnType<typeof readReference>>
let symbols: readonly PublicSymbol[]
let faulty: Awaited<ReturnType<typeof readReference>>
let faults: readonly PublicSymbol[]

// TypeDoc reads all of the source: some seconds, twice as many on a busy machine.
beforeAll(async () => {
  reference = await readReference({ root })
  symbols = publicSymbols(reference.project)
  faulty = await readReference({
    root,
    tsconfig: join(fixtures, 'tsconfig.json'),
    entryPoints: [join(fixtures, 'planted-door.ts')],
  })
  faults = publicSymbols(faulty.project)
}, 180_000)

describe('the API reference', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('has every door of package.json', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const doors = Object.keys(exports).filter((door) => door !== './package.json')
    const found = symbols.filter(({ kind }) => kind === 'door').map(({ name }) => name)
    expect(found.sort()).toEqual(doors.map((door) => door.replace('.', 'millrace')).sort())
  })

  it('has no link that leads nowhere, and no type that is hidden', () => {
    expect(reference.problems).toEqual([])
  })

  it('is written as pages, the guides among them', async () => {
    expect(await reference.write(folder)).toEqual([])
    expect(namesIn(join(folder, 'documents'))).toHaveLength(
      namesIn(join(root, 'docs', 'guides')).filter((name) => name.endsWith('.md')).length,
    )
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('definePipeline')
    expect(existsSync(join(folder, 'classes', 'millrace.Engine.html'))).toBe(true)
  }, 120_000)

  it('of a door with a broken link says so', () => {
    expect(faulty.problems.join('\n')).toContain('Nowhere')
  })
})

describe('docstrings of public symbols', () => {
  it('are there: of types, members, functions, and parameters that no type explains', () => {
    expect(undocumented(symbols)).toEqual([])
  })

  it('that are missing are caught', () => {
    expect(undocumented(faults)).toEqual([
      'Planted.constructor',
      'PlantedOptions.bare',
      'PlantedOptions.nested.deep',
      'Undescribed',
      'fails(size)',
    ])
  })

  it('say more than the name does', () => {
    expect(saysOnlyItsName(symbols)).toEqual([])
  })

  it('that say no more than the name are caught', () => {
    expect(saysOnlyItsName(faults)).toEqual(['PlantedOptions.bareName'])
  })

  it('give destructured parameters a name', () => {
    expect(namelessParameters(symbols)).toEqual([])
  })

  it('that give them none are caught', () => {
    expect(namelessParameters(faults)).toEqual(['says(__namedParameters)'])
  })

  it('of options say the default, and of what may be undefined or null when it is', () => {
    expect(withoutDefault(symbols)).toEqual([])
  })

  it('that do not say what is taken for what is left out are caught', () => {
    expect(withoutDefault(faults)).toEqual(['Planted.found', 'PlantedOptions.label'])
  })

  it('of numbers say the unit where the name does not', () => {
    expect(withoutUnit(symbols)).toEqual([])
  })

  it('of numbers without a unit are caught', () => {
    expect(withoutUnit(faults)).toEqual([
      'Planted.found',
      'PlantedOptions.patience',
      'fails',
      'fails(size)',
    ])
  })

  it('of functions, constructors and methods that promise say how they fail', () => {
    expect(withoutThrows(symbols)).toEqual([])
  })

  it('that do not say how something fails are caught', () => {
    expect(withoutThrows(faults)).toEqual(['Planted.promise', 'fails'])
  })

  it('name all codes of errors, and no others', () => {
    expect(unnamedCodes(symbols, codes)).toEqual([])
    expect(unknownCodes(symbols, codes)).toEqual([])
  })

  it('that name other codes, or leave some out, are caught', () => {
    expect(unknownCodes(faults, codes)).toEqual(['says: MILLRACE_PLANTED'])
    expect(unnamedCodes(faults, codes)).toEqual(codes.filter((code) => code !== 'MILLRACE_CLOSED'))
  })

  it('of algorithms name the paper and the section', () => {
    expect(withoutSource(symbols, ALGORITHMS)).toEqual([])
  })

  it('of algorithms that name none are caught', () => {
    expect(withoutSource(faults, { Planted: /section 1/, Planner: /./ })).toEqual([
      'Planted',
      'Planner',
    ])
  })
})

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
