// How long functions are: from the first line of the declaration to the closing brace, whatever is nested inside included.
import ts from 'typescript'
import { parse, visit } from './imports.ts'
import { blankNonCode } from './native-text.ts'
import type { SourceFile } from './project.ts'

export interface MeasuredFunction {
  readonly where: string
  readonly lines: number
  /** False for a callback without a name: it has a cap, but counting it would flatter the percentile. */
  readonly named: boolean
}

export function typeScriptFunctions(file: SourceFile): readonly MeasuredFunction[] {
  const source = parse(file)
  const found: MeasuredFunction[] = []
  visit(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return
    const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line
    const last = source.getLineAndCharacterOfPosition(node.end).line
    const name = nameOf(node)
    found.push({
      where: `${file.path}:${first + 1} ${name ?? 'callback'}`,
      lines: last - first + 1,
      named: name !== undefined,
    })
  })
  return found
}

function nameOf(node: ts.SignatureDeclaration): string | undefined {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (node.name) return node.name.getText()
  const { parent } = node
  const holds = ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent)
  return holds || ts.isPropertyAssignment(parent) ? parent.name.getText() : undefined
}

type Scope = 'namespace' | 'type' | 'function' | 'other'

/**
 * Finds C++ functions by their braces, on text in which comments and literals are blank. It needs no compiler, and the
 * price is that it relies on the layout that clang-format gives: one declaration after the other, no macros with braces.
 */
export function nativeFunctions(file: SourceFile): readonly MeasuredFunction[] {
  const text = blankNonCode(file.text)
  const found: MeasuredFunction[] = []
  const open: { scope: Scope; start: number; header: string }[] = []
  let header = ''
  let headerStart = 0
  let depth = 0
  const lineOf = (at: number): number => text.slice(0, at).split('\n').length
  const begin = (at: number): void => {
    header = ''
    headerStart = at
  }
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (header.trim() === '' && /\s/.test(char)) {
      begin(at + 1)
      continue
    }
    if (char === '(') depth++
    if (char === ')') depth--
    if (char === '{') {
      const scope = scopeOf(header, open.at(-1)?.scope, depth)
      open.push({ scope, start: headerStart, header })
      begin(at + 1)
    } else if (char === '}') {
      const closed = open.pop()
      if (closed?.scope === 'function') {
        const lines = lineOf(at) - lineOf(closed.start) + 1
        const where = `${file.path}:${lineOf(closed.start)} ${shortName(closed.header)}`
        found.push({ where, lines, named: true })
      }
      // A braced initialiser is part of the declaration around it; anything else ends one.
      if (closed?.scope === 'other') {
        header = `${closed.header}{}`
        headerStart = closed.start
      } else begin(at + 1)
    } else if (char === ';' && depth === 0) {
      begin(at + 1)
    } else {
      header += char
    }
  }
  return found
}

/** What a brace opens, from the text before it and from where it stands. */
function scopeOf(header: string, outer: Scope | undefined, depth: number): Scope {
  if (outer === 'function' || outer === 'other' || depth > 0) return 'other'
  if (/\b(namespace\b[\w:\s]*|extern\s*)$/.test(header)) return 'namespace'
  if (isFunctionHeader(header)) return 'function'
  const declaresType = /(^|[\s>])(class|struct|union|enum)\s/.test(header) && !header.includes('=')
  return declaresType ? 'type' : 'other'
}

function isFunctionHeader(header: string): boolean {
  if (!header.includes('(') && !header.includes(']')) return false
  const end = header.trimEnd()
  // After `Name() :` an item such as `a_` opens a braced initialiser; the body follows a `)` or a `}`.
  if (/\)\s*(noexcept\s*)?:[^:]/.test(end)) return /[)}]$/.test(end)
  if (/\)\s*((const|noexcept|override|final|mutable|try|&&?)\s*)*$/.test(end)) return true
  return /\)[^()]*->[^()=]*$/.test(end)
}

function shortName(header: string): string {
  return /([\w:~]+|operator\S+)\s*\(/.exec(header)?.[1] ?? 'function'
}
