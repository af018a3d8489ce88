import { readdirSync } from 'node:fs'
import { dirname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'

// Each case must compile as it stands: a line below `@ts-expect-error` must be refused, and a
// mistake that goes unnoticed is reported as an expectation that nothing met.
const casesFolder = fileURLToPath(new URL('./cases/', import.meta.url))
const cases = readdirSync(casesFolder).filter((name) => name.endsWith('.ts'))
const projectFile = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))

let program: ts.Program
beforeAll(() => {
  const { config } = ts.readConfigFile(projectFile, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(projectFile))
  program = ts.createProgram({
    rootNames: cases.map((name) => casesFolder + name),
    options: { ...options, noUnusedLocals: false, noUnusedParameters: false },
  })
}, 120_000)

function complaintsAbout(file: ts.SourceFile | undefined): readonly string[] {
  return ts.getPreEmitDiagnostics(program, file).map(({ file, start = 0, messageText }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? -1) + 1
    const name = file === undefined ? '' : relative(casesFolder, file.fileName).replaceAll(sep, '/')
    return `${name}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

describe('the types of', () => {
  it.each(cases)('%s accept what is right and refuse what is not', (name) => {
    const file = program.getSourceFile(casesFolder + name)
    expect(file).toBeDefined()
    expect(complaintsAbout(file)).toEqual([])
  })
})

// The errors of a small definition with `reference` in `place`, instead of being written to a file.
function misspelt(place: 'stages' | 'outputs'): { text: string; errors: readonly ts.Diagnostic[] } {
  const [input, output] = place === 'stages' ? ['reqest.image', 'a.y'] : ['request.image', 'b.y']
  const text = `
    import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
    import { onnx } from '../../../src/pipeline/onnx.ts'
    definePipeline({
      stages: { a: onnx('m.onnx', { inputs: { image: '${input}' } }) },
      outputs: { label: '${output}' },
    })`
  const fileName = `${casesFolder}misspelt-${place}.ts`
  const host = ts.createCompilerHost(program.getCompilerOptions())
  const { fileExists, getSourceFile } = host
  host.fileExists = (name) => name === fileName || fileExists(name)
  host.getSourceFile = (name, target) => {
    return name === fileName
      ? ts.createSourceFile(name, text, target)
      : (program.getSourceFile(name) ?? getSourceFile(name, target))
  }
  const small = ts.createProgram({
    rootNames: [fileName],
    options: program.getCompilerOptions(),
    host,
  })
  return { text, errors: small.getSemanticDiagnostics(small.getSourceFile(fileName)) }
}

describe('a misspelt stage', () => {
  it.each([
    [
      'stages',
      'a: onnx(',
      `Type '"reqest.image"' is not assignable to type '\`request.\${string}\`'`,
    ],
    ['outputs', 'label: ', `Type '"b.y"' is not assignable to type`],
  ] as const)('in %s is told at its key, beside the names there are', (place, key, message) => {
    const { text, errors } = misspelt(place)
    expect(errors).toHaveLength(1)
    const [error] = errors
    expect(text.slice(error?.start).startsWith(key)).toBe(true)
    const told = ts.flattenDiagnosticMessageText(error?.messageText, '\n')
    expect(told).toContain(message)
    expect(told).toMatch(/`request\.\$\{string\}`/)
  })
})
