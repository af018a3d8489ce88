// How the blocks of a guide are read, and their output compared: docs/guides/README.md says it to readers.
import { describe, expect, it } from 'vitest'
import { beginsAsExpected, isExpected } from './expected-output.ts'
import { followGuide } from './follow-guide.ts'
import { readGuide } from './read-guide.ts'

/** A guide of one block for each info string, with the paragraph before it and what is in it. */
const guideOf = (...blocks: readonly (readonly [info: string, text: string])[]) => {
  const parts = blocks.map(
    ([info, text]) => `\`a.js\`, \`a.ts\`:\n\n\`\`\`${info}\n${text}\n\`\`\``,
  )
  return readGuide(`# Title\n\n${parts.join('\n\n')}\n`)
}

describe('a block', () => {
  it.each([
    ['js a.js', { does: 'file', name: 'a.js', runBy: 'node' }],
    ['ts a.ts', { does: 'file', name: 'a.ts', runBy: 'tsc' }],
    ['sh', { does: 'command', keepsRunning: false }],
    ['sh keeps running', { does: 'command', keepsRunning: true }],
    ['python not run: it is not installed', { does: 'nothing', reason: 'it is not installed' }],
  ])('is what it says: %s', (info, action) => {
    expect(guideOf([info, 'x']).blocks).toMatchObject([{ action, text: 'x\n', output: '' }])
  })

  it.each([
    '',
    'js',
    'ts',
    'js a.ts',
    'python',
    'sh not run:',
    'js not run',
    'text outputs',
    'yaml',
  ])('that says neither what it is nor why it is not run is refused: "%s"', (info) => {
    expect(() => guideOf([info, 'x'])).toThrow(/^line 5: expected "js NAME\.js"/)
  })

  it('has the output that follows it, and the one at its end', () => {
    const { blocks } = guideOf(
      ['sh keeps running', 'serve'],
      ['text output', 'listening'],
      ['sh', 'ask'],
      ['text output at SIGTERM', 'closed'],
    )
    expect(blocks).toMatchObject([
      { output: 'listening\n', outputAtEnd: 'closed\n' },
      { output: '', outputAtEnd: '' },
    ])
  })

  it.each(['text output', 'text output at SIGTERM'])('must be there for a %s', (output) => {
    const message = /expected a block that is run before its output/
    expect(() => guideOf([output, 'x'])).toThrow(message)
    expect(() => guideOf(['sh not run: no', 'x'], [output, 'x'])).toThrow(message)
  })

  it('that is run below is refused where no command runs it', () => {
    const file = ['js a.js run below', 'x'] as const
    expect(guideOf(file, ['sh', 'node a.js']).blocks).toHaveLength(2)
    expect(() => guideOf(file, ['sh', 'node b.js'])).toThrow('line 5: no command below runs a.js')
    expect(() => guideOf(['sh', 'node a.js'], file)).toThrow('no command below runs a.js')
  })

  it('of a file is refused where readers do not see its name', () => {
    expect(() => readGuide('So:\n\n```js b.js\nx\n```\n')).toThrow('name the file `b.js`')
  })

  it('that is not closed is refused', () => {
    expect(() => readGuide('# T\n\n```sh\nls\n')).toThrow('line 3: the block is not closed')
  })
})

describe('a guide', () => {
  it('says where it goes on from, what it needs, and where it leads', () => {
    const guide = readGuide(
      '# The title\n\nGoes on from [One](first-one.md): its folder. See [it](../a.md#b), [web](https://example.org).\n\n' +
        '```sh not run: no registry\nnpm install a@1.0.0 @b/c\nnpm install --save-dev d\n```\n',
    )
    expect(guide).toMatchObject({
      title: 'The title',
      goesOnFrom: 'first-one',
      packages: ['a', '@b/c', 'd'],
      links: ['first-one.md', '../a.md'],
    })
  })
})

describe('expected output', () => {
  it.each([
    ['a\nb', 'a\nb\n'],
    ['\n a   b \n\n', 'a b'],
    ['took 12.3 ms', 'took … ms'],
    ['a\nb\nc\nd', 'a\n…\nd'],
    ['a\nd', 'a\n…\nd'],
    ['a\nb\nc', 'a\n…'],
    ['a', 'a\n…'],
    ['a\n\nb', '…'],
    ['(1 + 1) * 2', '(1 + 1) * 2'],
    ['', ''],
  ])('%j is what %j says', (printed, expected) => {
    expect(isExpected(printed, expected)).toBe(true)
  })

  it.each([
    ['a\nb', 'a'],
    ['a', 'a\nb'],
    ['a\nx\nb', 'a … b'],
    ['took 12.3 s', 'took … ms'],
    ['a\nb\nc', 'a\n…\nd'],
    ['ab', 'a\n…'],
    ['abc', 'a.c'],
    ['something', ''],
  ])('%j is not what %j says', (printed, expected) => {
    expect(isExpected(printed, expected)).toBe(false)
  })

  it('may come before more', () => {
    expect(beginsAsExpected('listening\nmore', 'listening')).toBe(true)
    expect(beginsAsExpected('listen', 'listening')).toBe(false)
  })
})

describe('a guide that is followed', () => {
  it.each([
    ['prints something else', guideOf(['js a.js', 'console.log(1)'], ['text output', '2'])],
    ['prints what it does not show', guideOf(['js a.js', 'console.log(1)'])],
    ['fails', guideOf(['sh', 'echo 1; false'], ['text output', '1'])],
    ['ends where it should keep running', guideOf(['sh keeps running', 'true'])],
  ])('is refused where a block %s', async (_what, guide) => {
    await expect(followGuide(guide, undefined)).rejects.toThrow(/exit code/)
  })

  it('finds the folder as the one before left it', async () => {
    const first = await followGuide(guideOf(['sh', 'echo here > left.txt']), undefined)
    await using _first = first
    await using _second = await followGuide(
      guideOf(['sh', 'cat left.txt'], ['text output', 'here']),
      first,
    )
  })

  it('tells what keeps running to end, and reads what it says then', async () => {
    const program = `process.once('SIGTERM', () => { console.log('bye'); clearInterval(timer) })
      const timer = setInterval(() => {}, 1000)
      console.log('listening')`
    const guide = guideOf(
      ['js a.js run below', program],
      ['sh keeps running', 'node a.js'],
      ['text output', 'listening'],
      ['text output at SIGTERM', 'bye'],
    )
    await using _folder = await followGuide(guide, undefined)
  })
})
