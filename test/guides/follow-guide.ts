import { isExpected } from './expected-output.ts'
import type { Block, Guide } from './read-guide.ts'
import { type Ended, Workspace } from './workspace.ts'

const compilerOptions = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: true,
}

/**
 * Does all that a guide says, one block after the other, where the guide that it goes on from was left.
 *
 * @throws {Error} that names the line of the first block that does not do what the guide says.
 */
export async function followGuide(
  { blocks, packages }: Guide,
  before: Workspace | undefined,
): Promise<Workspace> {
  const workspace = await Workspace.open(before, packages)
  try {
    for (const block of blocks) await follow(block, workspace)
    const ended = await workspace.end()
    const last = blocks.find(({ action }) => action.does === 'command' && action.keepsRunning)
    if (ended !== undefined && last !== undefined) {
      checkEnd(ended, { ...last, output: `${last.output}${last.outputAtEnd}` })
    }
    return workspace
  } catch (error) {
    await workspace[Symbol.asyncDispose]()
    throw error
  }
}

async function follow(block: Block, workspace: Workspace): Promise<void> {
  const { action, text } = block
  switch (action.does) {
    case 'nothing':
      return
    case 'command':
      if (action.keepsRunning) await workspace.start(text, block.output)
      else checkEnd(await workspace.run(text), block)
      return
    case 'file':
      workspace.write(action.name, text)
      if (action.runBy === 'node') checkEnd(await workspace.run(`node ${action.name}`), block)
      if (action.runBy === 'tsc') checkEnd(await compileAndRun(action.name, workspace), block)
  }
}

async function compileAndRun(name: string, workspace: Workspace): Promise<Ended> {
  workspace.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [name] }))
  const compiled = await workspace.run('node_modules/.bin/tsc')
  return compiled.exitCode === 0
    ? await workspace.run(`node ${name.replace(/ts$/, 'js')}`)
    : compiled
}

function checkEnd({ exitCode, printed }: Ended, { line, info, output }: Block): void {
  if (exitCode === 0 && isExpected(printed, output)) return
  throw new Error(
    `line ${line}, "${info}": exit code ${exitCode}\n--- expected\n${output}--- printed\n${printed}`,
  )
}
