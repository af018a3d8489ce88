// A guide as its test sees it: a list of blocks, each of which is run, written, or says why it is not.

/** What is done with a fenced block. */
export type Action =
  /** A file is written, then run by node, or type-checked and run, or left for a later block. */
  | { readonly does: 'file'; readonly name: string; readonly runBy: 'node' | 'tsc' | 'nothing' }
  /** A shell runs it; one that keeps running is ended after the last block. */
  | { readonly does: 'command'; readonly keepsRunning: boolean }
  | { readonly does: 'nothing'; readonly reason: string }

export interface Block {
  /** Of the fence, from 1. */
  readonly line: number
  readonly info: string
  readonly text: string
  readonly action: Action
  /** All that it prints; empty where no output follows it. */
  readonly output: string
  /** What it prints when it is told to end. */
  readonly outputAtEnd: string
}

export interface Guide {
  readonly title: string
  /** Lines but those of outputs. */
  readonly lines: number
  /** The guide whose folder, as it is left at its end, this one goes on in. */
  readonly goesOnFrom: string | undefined
  /** Names of all packages that it says to install. */
  readonly packages: readonly string[]
  readonly blocks: readonly Block[]
  /** Where relative links lead, without their anchors. */
  readonly links: readonly string[]
}

interface Fence {
  readonly line: number
  readonly info: string
  readonly text: string
  /** The text between this block and the one before. */
  readonly before: string
}

const outputInfo = 'text output'
const endInfo = 'text output at SIGTERM'

/** @throws {Error} where a block says neither what it is nor why it is not run. */
export function readGuide(markdown: string): Guide {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '')
  const blocks = readBlocks(readFences(markdown))
  return {
    title: /^# (.+)$/m.exec(prose)?.[1] ?? '',
    lines: markdown
      .replace(/^```text output[\s\S]*?^```\n/gm, '')
      .trimEnd()
      .split('\n').length,
    goesOnFrom: /^Goes on from \[[^\]]+\]\(([\w-]+)\.md\)/m.exec(prose)?.[1],
    packages: blocks.flatMap(({ text }) => packagesIn(text)),
    blocks,
    links: [...prose.matchAll(/\]\((?!\w+:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link),
  }
}

function readFences(markdown: string): readonly Fence[] {
  const fences: Fence[] = []
  let open: { line: number; info: string; body: string[] } | undefined
  let before: string[] = []
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.startsWith('```')) (open?.body ?? before).push(line)
    else if (open === undefined) open = { line: index + 1, info: line.slice(3).trim(), body: [] }
    else {
      const { body, ...rest } = open
      fences.push({ ...rest, text: `${body.join('\n')}\n`, before: before.join('\n') })
      open = undefined
      before = []
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: the block is not closed`)
  return fences
}

function readBlocks(fences: readonly Fence[]): readonly Block[] {
  const blocks: Block[] = []
  for (const fence of fences) {
    const { line, info, text } = fence
    if (info === outputInfo || info === endInfo) {
      const isItsOwner = info === outputInfo ? isLastAndRun : keepsRunning
      const owner = blocks.findLastIndex(isItsOwner)
      const block = blocks[owner]
      if (block === undefined) {
        throw new Error(`line ${line}: expected a block that is run before its output`)
      }
      blocks[owner] = { ...block, [info === outputInfo ? 'output' : 'outputAtEnd']: text }
    } else {
      blocks.push({ line, info, text, action: readAction(fence), output: '', outputAtEnd: '' })
    }
  }
  for (const block of blocks) checkRunLater(block, blocks)
  return blocks
}

function isLastAndRun({ action }: Block, index: number, blocks: readonly Block[]): boolean {
  return index === blocks.length - 1 && action.does !== 'nothing'
}

function keepsRunning({ action }: Block): boolean {
  return action.does === 'command' && action.keepsRunning
}

function readAction(fence: Fence): Action {
  const { line, info } = fence
  const [, reason] = /^\w+ not run: (.+)$/.exec(info) ?? []
  if (reason !== undefined) return { does: 'nothing', reason }
  if (info === 'sh') return { does: 'command', keepsRunning: false }
  if (info === 'sh keeps running') return { does: 'command', keepsRunning: true }
  const [, language, name, later] = /^(js|ts|json) (\S+)( run below)?$/.exec(info) ?? []
  if (name === undefined || !name.endsWith(`.${language}`)) {
    throw new Error(
      `line ${line}: expected "js NAME.js", "ts NAME.ts", "json NAME.json", "sh", "${outputInfo}" ` +
        `or "LANGUAGE not run: REASON", got ${JSON.stringify(info)}`,
    )
  }
  // What is rendered does not show the info string.
  if (!fence.before.trimEnd().split('\n\n').at(-1)?.includes(`\`${name}\``)) {
    throw new Error(`line ${line}: expected the paragraph before to name the file \`${name}\``)
  }
  if (language === 'json' || later !== undefined) return { does: 'file', name, runBy: 'nothing' }
  return { does: 'file', name, runBy: language === 'ts' ? 'tsc' : 'node' }
}

/** A program that is left for later must really be run by a command. */
function checkRunLater({ line, action, info }: Block, blocks: readonly Block[]): void {
  if (action.does !== 'file' || !info.endsWith(' run below')) return
  const command = blocks.some((later) => {
    return (
      later.line > line &&
      later.action.does === 'command' &&
      later.text.split(/\s+/).includes(action.name)
    )
  })
  if (!command) throw new Error(`line ${line}: no command below runs ${action.name}`)
}

function packagesIn(text: string): readonly string[] {
  const installs = [...text.matchAll(/^npm install (.+)$/gm)]
  return installs.flatMap(([, words = '']) => {
    const named = words.split(' ').filter((word) => !word.startsWith('-'))
    return named.map((word) => word.replace(/(?<=.)@.*$/, '')) // without its version
  })
}
