// The house rules of CONTRIBUTING.md, enforced. Each rule is checked twice: that the project keeps it, and that the check
// would notice if it did not. The checks are in architecture/.
import { describe, expect, it } from 'vitest'
import { cycles } from './architecture/cycles.ts'
import { nativeFunctions, typeScriptFunctions } from './architecture/functions.ts'
import { nativeDependencies, typeScriptDependencies } from './architecture/imports.ts'
import {
  nativeLayerViolations,
  typeScriptLayerViolations,
  unknownFolders,
} from './architecture/layers.ts'
import { emptyNames, foldersWithoutReadme, wrongCase } from './architecture/names.ts'
import {
  backDoors,
  type Lock,
  type Manifest,
  machinePaths,
  missingFromLock,
  nonPermissive,
  unexpectedDependencies,
  unknownDoors,
} from './architecture/packaging.ts'
import {
  isCode,
  isGenerated,
  isNative,
  isProduct,
  isScript,
  isTypeScript,
  readProject,
  type SourceFile,
} from './architecture/project.ts'
import {
  fileMedianLines,
  filesOver,
  functionP90Lines,
  functionsOver,
  MAX_FILE_LINES,
  MAX_FILE_MEDIAN_LINES,
  MAX_FUNCTION_LINES,
  MAX_FUNCTION_P90_LINES,
  MAX_README_LINES,
  MAX_TEST_FILE_LINES,
} from './architecture/sizes.ts'
import {
  anyTypes,
  longArgumentLists,
  openExports,
  publicNames,
  silencedErrors,
} from './architecture/typing.ts'

const project = readProject()
const paths = project.map(({ path }) => path)
const code = project.filter(({ path }) => isCode(path) && !isGenerated(path))
const product = code.filter(({ path }) => isProduct(path))
const typeScript = product.filter(({ path }) => isTypeScript(path) && path.startsWith('src/'))
const native = product.filter(({ path }) => isNative(path))
const nativePaths = new Set(native.map(({ path }) => path))

const typeScriptImports = typeScript.flatMap((file) => typeScriptDependencies(file))
const nativeIncludes = native.flatMap((file) => nativeDependencies(file, nativePaths))

const text = (name: string): string => project.find(({ path }) => path === name)?.text ?? ''
const planted = (path: string, ...lines: string[]): SourceFile => ({ path, text: lines.join('\n') })

/** The layer violations of one TypeScript file that holds one line. */
const importing = (path: string, line: string) =>
  typeScriptLayerViolations(typeScriptDependencies(planted(path, line)))

/** The layer violations of one C++ file that holds one include; `known` are the files of the project. */
const including = (path: string, header: string) =>
  nativeLayerViolations(
    nativeDependencies(
      planted(path, `#include ${header}`),
      new Set(['native/model/model.h', 'native/model/onnx_model.h', 'native/engine/engine.h']),
    ),
  )

describe('TypeScript dependencies', () => {
  it('point only the way the design allows', () => {
    expect(typeScriptLayerViolations(typeScriptImports)).toEqual([])
  })

  it.each([
    ['a folder below another', 'src/pipeline/a.ts', "import { b } from '../engine/b.ts'"],
    ['a type', 'src/planner/a.ts', "import type { Engine } from '../engine/engine.ts'"],
    ['a type in place', 'src/workload/a.ts', "let b: import('../planner/b.ts').B"],
    ['a dynamic import', 'src/tuner/a.ts', "await import('../engine/engine.ts')"],
    ['the native surface', 'src/http/a.ts', "import { load } from '../native/load.ts'"],
    ['the public door', 'src/cli/a.ts', "export { Engine } from '../index.ts'"],
    ['a file outside src', 'src/engine/a.ts', "import { b } from '../../scripts/b.mjs'"],
    ['profile files but one', 'src/profile/reader.ts', "import { e } from '../engine/engine.ts'"],
  ])('are caught when %s is used where it must not be', (_what, path, line) => {
    expect(importing(path, line)).toHaveLength(1)
  })

  it.each([
    ['the base', 'src/pipeline/a.ts', "import { MillraceError } from '../errors.ts'"],
    ['a layer underneath', 'src/engine/a.ts', "import { onnx } from '../pipeline/onnx.ts'"],
    ['the engine, by the profiler', 'src/profile/profiler.ts', "import '../engine/engine.ts'"],
    ['anything, by the public door', 'src/index.ts', "export { Engine } from './engine/engine.ts'"],
  ])('may be on %s', (_what, path, line) => {
    expect(importing(path, line)).toEqual([])
  })

  it('form no cycle, imports of types included', () => {
    expect(cycles(typeScriptImports)).toEqual([])
  })
})

describe('C++ includes', () => {
  it('point only the way the design allows', () => {
    expect(nativeLayerViolations(nativeIncludes)).toEqual([])
  })

  it.each([
    ['a model by more than its interface', 'native/engine/stage.h', '"model/onnx_model.h"'],
    ['one model by another', 'native/cuda/cuda_model.h', '"model/onnx_model.h"'],
    ['the engine from below', 'native/model/model.cc', '"engine/engine.h"'],
    ['a Node header outside the addon', 'native/engine/engine.cc', '<napi.h>'],
    ['an ONNX Runtime header outside model', 'native/addon/module.cc', '<onnxruntime_c_api.h>'],
    ['a CUDA header outside cuda', 'native/model/model.cc', '<cuda_runtime.h>'],
  ])('are caught when they name %s', (_what, path, header) => {
    expect(including(path, header)).toHaveLength(1)
  })

  it.each(['native/engine/stage.h', 'native/cuda/cuda_model.h'])(
    'may name a model by its interface from %s',
    (path) => {
      expect(including(path, '"model/model.h"')).toEqual([])
    },
  )

  it('form no cycle', () => {
    expect(cycles(nativeIncludes)).toEqual([])
  })
})

describe('folders', () => {
  it('are those of the design', () => {
    expect(unknownFolders([...typeScript, ...native].map(({ path }) => path))).toEqual([])
  })

  it('are caught when the design does not know them', () => {
    const unknown = ['src/extras/a.ts', 'native/extras/a.cc']
    expect(unknownFolders([...unknown, 'src/index.ts', 'src/engine/a.ts'])).toEqual(unknown)
  })

  it('of src and native each say what they are for', () => {
    expect(foldersWithoutReadme(paths)).toEqual([])
  })

  it('without a README are caught', () => {
    const some = ['src/engine/engine.ts', 'src/pipeline/onnx.ts', 'src/pipeline/README.md']
    expect(foldersWithoutReadme([...some, 'native/README.md'])).toEqual(['src/engine'])
  })
})

describe('cycles', () => {
  it('are found through any number of files', () => {
    const edge = (from: string, to: string) => ({ from, to, external: false })
    expect(cycles([edge('a', 'b'), edge('b', 'c'), edge('c', 'b')])).toEqual(['b -> c -> b'])
    expect(cycles([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toEqual([])
  })
})

describe('files', () => {
  it(`have at most ${MAX_FILE_LINES} lines, ${MAX_TEST_FILE_LINES} in benches and tests`, () => {
    expect(filesOver(product, MAX_FILE_LINES)).toEqual([])
    expect(filesOver(code, MAX_TEST_FILE_LINES)).toEqual([])
  })

  it(`have a median of at most ${MAX_FILE_MEDIAN_LINES} lines`, () => {
    expect(fileMedianLines(typeScript)).toBeLessThanOrEqual(MAX_FILE_MEDIAN_LINES)
    expect(fileMedianLines(native)).toBeLessThanOrEqual(MAX_FILE_MEDIAN_LINES)
  })

  it('that are too long are caught', () => {
    const long = planted('src/long.ts', ...Array<string>(401).fill('x'))
    expect(filesOver([long], 400)).toEqual(['src/long.ts has 401 lines, over 400'])
    expect(filesOver([planted('src/fits.ts', ...Array<string>(400).fill('x'), '')], 400)).toEqual(
      [],
    )
    expect(fileMedianLines([long, long, planted('src/short.ts', 'x')])).toBe(401)
  })

  it('have names that say something', () => {
    expect(emptyNames(paths)).toEqual([])
  })

  it('with names that say nothing are caught', () => {
    const empty = [
      'src/utils/a.ts',
      'native/base/common.h',
      'scripts/helpers.mjs',
      'src/types.d.ts',
    ]
    expect(emptyNames([...empty, 'test/types/a.ts', 'src/engine/router.ts'])).toEqual(empty)
  })

  it('are kebab-case in TypeScript and snake_case in C++', () => {
    expect(wrongCase(paths)).toEqual([])
  })

  it('in the wrong case are caught', () => {
    const wrong = ['src/engine/batchSize.ts', 'native/base/data-type.h', 'native/base/Clock.cc']
    const right = ['src/engine/batch-size.ts', 'native/base/data_type.h', 'test/unit/a-b.test.ts']
    expect(wrongCase([...wrong, ...right])).toEqual(wrong)
  })

  it('hold no path of somebody’s machine', () => {
    expect(machinePaths(project)).toEqual([])
  })

  it('that hold one are caught', () => {
    const at = (...parts: string[]) => planted('a.md', ['', ...parts].join('/'))
    expect(machinePaths([at('work', 'x')])).toEqual(['a.md:1'])
    expect(machinePaths([planted('a.md', 'x', `see "${['', 'home', 'me'].join('/')}"`)])).toEqual([
      'a.md:2',
    ])
    expect(machinePaths([planted('a.md', 'https://example.org/home/x')])).toEqual([])
  })

  it(`README.md has at most ${MAX_README_LINES} lines`, () => {
    expect(filesOver([planted('README.md', text('README.md'))], MAX_README_LINES)).toEqual([])
  })
})

describe('functions', () => {
  const inTypeScript = product
    .filter(({ path }) => isScript(path))
    .flatMap((file) => typeScriptFunctions(file))
  const inNative = native.flatMap((file) => nativeFunctions(file))

  it(`have at most ${MAX_FUNCTION_LINES} lines`, () => {
    expect(functionsOver([...inTypeScript, ...inNative], MAX_FUNCTION_LINES)).toEqual([])
  })

  it(`have at most ${MAX_FUNCTION_P90_LINES} lines at the 90th percentile`, () => {
    expect(functionP90Lines(inTypeScript)).toBeLessThanOrEqual(MAX_FUNCTION_P90_LINES)
    expect(functionP90Lines(inNative)).toBeLessThanOrEqual(MAX_FUNCTION_P90_LINES)
  })

  it('that are too long are caught, with a name or without', () => {
    const body = Array<string>(60).fill('  x()')
    const long = planted(
      'src/a.ts',
      'export function a() {',
      ...body,
      '}',
      'b(() => {',
      ...body,
      '})',
    )
    expect(functionsOver(typeScriptFunctions(long), 60)).toEqual([
      'src/a.ts:1 a has 62 lines, over 60',
      'src/a.ts:63 callback has 62 lines, over 60',
    ])
    const cpp = planted('native/a.cc', 'void Queue::push(int a) {', ...body, '}')
    expect(functionsOver(nativeFunctions(cpp), 60)).toEqual([
      'native/a.cc:1 Queue::push has 62 lines, over 60',
    ])
  })

  it('are measured at the 90th percentile without counting callbacks', () => {
    const measured = (lines: number, named = true) => ({ where: '', lines, named })
    const nine = Array.from({ length: 9 }, () => measured(3))
    expect(functionP90Lines([...nine, measured(50)])).toBe(3)
    expect(functionP90Lines([...nine, measured(50), measured(50)])).toBe(50)
    expect(functionP90Lines([...nine, measured(50), measured(50), measured(1, false)])).toBe(50)
  })

  it('of C++ are told from types, namespaces, initialisers, comments and literals', () => {
    const cpp = planted(
      'native/a.cc',
      'namespace millrace {',
      'constexpr int kTable[] = {1, 2};',
      'struct Point {',
      '  alignas(64) std::atomic<int> x_{0};',
      "  char brace() const { return '{'; }",
      '  int count = compute({1, 2});',
      '};',
      '// void ghost() {',
      'enum class Kind { kA, kB };',
      'Queue::Queue(int size)',
      '    : size_{size}, slots_(make({size})) {',
      '  const char* text = R"(})";',
      "  if (size > 1'000) {",
      '  }',
      '}',
      'template <typename T>',
      'auto twice(T value) -> T {',
      '  return [&] { return value + value; }();',
      '}',
      '}  // namespace millrace',
    )
    expect(nativeFunctions(cpp).map(({ where, lines }) => `${where} ${lines}`)).toEqual([
      'native/a.cc:5 brace 1',
      'native/a.cc:10 Queue::Queue 6',
      'native/a.cc:16 twice 4',
    ])
  })
})

describe('types', () => {
  it('never are any in src', () => {
    expect(typeScript.flatMap((file) => anyTypes(file))).toEqual([])
  })

  it('are not silenced', () => {
    const scripts = code.filter(({ path }) => isScript(path) && !path.startsWith('test/types/'))
    expect(scripts.flatMap((file) => silencedErrors(file))).toEqual([])
  })

  it('that are any or silenced are caught', () => {
    const loose = planted('src/a.ts', 'let a: any', 'f(a as any)', '// @ts-expect-error no', 'b()')
    expect(anyTypes(loose)).toEqual(['src/a.ts:1 any', 'src/a.ts:2 any'])
    expect(silencedErrors(loose)).toEqual(['src/a.ts:3 // @ts-expect-error no'])
    expect(anyTypes(planted('src/a.ts', "const any = 'any' // any"))).toEqual([])
  })
})

describe('the public door', () => {
  it('is src/index.ts alone', () => {
    expect(backDoors(paths)).toEqual([])
    expect(unknownDoors(JSON.parse(text('package.json')) as Manifest)).toEqual([])
  })

  it('names what it lets out', () => {
    expect(typeScript.flatMap((file) => openExports(file))).toEqual([])
  })

  it('lets out no function with more than two positional arguments', () => {
    const names = publicNames(planted('src/index.ts', text('src/index.ts')))
    const long = typeScript.flatMap((file) => longArgumentLists(file, names.get(file.path) ?? []))
    expect(long).toEqual([])
  })

  it('is caught when another is opened', () => {
    expect(backDoors(['src/engine/index.ts', 'src/index.ts'])).toEqual(['src/engine/index.ts'])
    expect(unknownDoors({ exports: { './engine': './dist/engine/engine.js' } })).toHaveLength(1)
    expect(unknownDoors({ exports: { '.': { default: './dist/main.js' } } })).toHaveLength(1)
    expect(openExports(planted('src/a.ts', "export * from './b.ts'"))).toHaveLength(1)
    expect(openExports(planted('src/a.ts', "export { b } from './b.ts'"))).toEqual([])
  })

  it('is caught letting out a long argument list', () => {
    const names = publicNames(planted('src/index.ts', "export { f, C as D } from './a.ts'"))
    const file = planted(
      'src/a.ts',
      'export function f(a: 1, b: 2, c: 3) {}',
      'export function internal(a: 1, b: 2, c: 3) {}',
      'export class C { m(a: 1, b: 2, c: 3) {} #p(a: 1, b: 2, c: 3) {} n(a: 1, ...rest: 2[]) {} }',
    )
    expect(longArgumentLists(file, names.get('src/a.ts') ?? [])).toEqual([
      'src/a.ts:1 more than 2 positional arguments',
      'src/a.ts:3 more than 2 positional arguments',
    ])
  })
})

describe('runtime dependencies', () => {
  it('are those agreed on', () => {
    expect(unexpectedDependencies(JSON.parse(text('package.json')) as Manifest)).toEqual([])
  })

  it('have permissive licences, all the way down', () => {
    expect(nonPermissive(JSON.parse(text('package-lock.json')) as Lock)).toEqual([])
  })

  it('and all others are in the lock for every platform', () => {
    expect(missingFromLock(JSON.parse(text('package-lock.json')) as Lock)).toEqual([])
  })

  it('that are missing from the lock are caught', () => {
    const a = { optionalDependencies: { b: '1.0.0', c: '1.0.0' } }
    const packages = { 'node_modules/a': a, 'node_modules/a/node_modules/b': {} }
    expect(missingFromLock({ packages })).toHaveLength(1)
    expect(missingFromLock({ packages: { ...packages, 'node_modules/c': {} } })).toEqual([])
  })

  it('that are new or restrictive are caught', () => {
    expect(unexpectedDependencies({ dependencies: { 'left-pad': '1.0.0' } })).toEqual(['left-pad'])
    const packages = {
      '': {},
      a: { license: 'GPL-3.0' },
      b: { license: 'GPL-3.0', dev: true },
      c: { license: '(GPL-2.0 OR MIT)' },
      d: { license: 'MIT AND AGPL-3.0' },
      e: {},
    }
    expect(nonPermissive({ packages })).toEqual([
      'a: GPL-3.0',
      'd: MIT AND AGPL-3.0',
      'e: no licence given',
    ])
  })
})
