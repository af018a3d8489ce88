// Who depends on whom: the imports of TypeScript files (those of types too) and the includes of C++ files.
import { posix } from 'node:path'
import ts from 'typescript'
import type { SourceFile } from './project.ts'

/** From a file of the project to what it names: another file of the project, or something from outside. */
export interface Dependency {
  readonly from: string
  readonly to: string
  readonly external: boolean
}

export function parse({ path, text }: SourceFile): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node)
  node.forEachChild((child) => visit(child, look))
}

export function typeScriptDependencies(file: SourceFile): readonly Dependency[] {
  const found: Dependency[] = []
  visit(parse(file), (node) => {
    const specifier = moduleNamedBy(node)
    if (specifier === undefined) return
    const external = !specifier.startsWith('.')
    const to = external ? specifier : posix.join(posix.dirname(file.path), specifier)
    found.push({ from: file.path, to, external })
  })
  return found
}

function moduleNamedBy(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return literal(node.moduleSpecifier)
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return literal(node.argument.literal)
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0])
  }
  return undefined
}

function literal(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined
}

/** Includes are written from native/ ("base/clock.h") or from the file's own folder. */
export function nativeDependencies(
  file: SourceFile,
  known: ReadonlySet<string>,
): readonly Dependency[] {
  return [...file.text.matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]/gm)].map((match) => {
    const name = match[1] ?? ''
    const candidates = [`native/${name}`, posix.join(posix.dirname(file.path), name)]
    const inside = candidates.find((candidate) => known.has(candidate))
    return { from: file.path, to: inside ?? name, external: inside === undefined }
  })
}
